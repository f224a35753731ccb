#include "common/grade/exercise.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

namespace fs = std::filesystem;

bool is_numbered(const std::string& name) {
  return name.size() > 3 && std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::isdigit(static_cast<unsigned char>(name[1])) && name[2] == '_';
}

std::vector<fs::path> numbered_folders(const fs::path& parent) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored))
    if (entry.is_directory() && is_numbered(entry.path().filename().string())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

// "10" of "about 12 lines, 20 minutes, 10 points"
int points_of(const std::string& effort) {
  const std::size_t end = effort.find(" points");
  if (end == std::string::npos) return 0;
  const std::size_t begin = effort.find_last_not_of("0123456789", end - 1) + 1;
  return std::atoi(effort.substr(begin, end - begin).c_str());
}

void read_head(Exercise& exercise) {
  std::istringstream in(read_text(exercise.folder / "README.md"));
  for (std::string line; std::getline(in, line);) {
    if (exercise.title.empty() && line.starts_with("# ")) exercise.title = line.substr(2);
    if (!line.starts_with("**")) continue;
    exercise.effort = line.substr(2, line.find("**", 2) - 2);
    break;
  }
  exercise.points = points_of(exercise.effort);
}

}  // namespace

fs::path repository() {
  return MOE_SOURCE_DIR;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UserError(ExitCode::bad_file, concat("cannot read ", file.string()), "");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Exercise> find_exercises() {
  std::vector<Exercise> all;
  const char* elsewhere = std::getenv("MOE_EXERCISES_DIR");
  const fs::path root = elsewhere ? fs::path(elsewhere) : repository() / "exercises";
  for (const fs::path& session : numbered_folders(root))
    for (const fs::path& folder : numbered_folders(session)) {
      Exercise e{.id = session.filename().string() + "/" + folder.filename().string(),
                 .name = folder.filename().string().substr(3),
                 .session = session.filename().string().substr(0, 2),
                 .folder = folder};
      e.device = fs::exists(folder / "answer.cu");
      read_head(e);
      all.push_back(std::move(e));
    }
  if (all.empty())
    throw UserError(ExitCode::missing, concat("no exercises under ", root.string()),
                    "The programs were built from there: has the repository moved? Build them again.");
  return all;
}

const Exercise& find_exercise(const std::vector<Exercise>& all, const std::string& name) {
  std::vector<std::string> names;
  const Exercise* begun = nullptr;
  int count = 0;
  for (const Exercise& e : all) {
    if (e.name == name || e.id == name) return e;
    names.push_back(e.name);
    if (!name.empty() && e.name.starts_with(name)) begun = &e, ++count;
  }
  if (count == 1) return *begun;
  throw UserError(ExitCode::usage, concat("there is no exercise '", name, "'"),
                  did_you_mean(name, names) + "`moe progress` shows all exercises.");
}

std::vector<Exercise> choose_exercises(const std::vector<Exercise>& all,
                                       const std::vector<std::string>& words) {
  if (words.empty() || words == std::vector<std::string>{"all"}) return all;
  std::vector<Exercise> chosen;
  for (const std::string& word : words) {
    if (word.size() == 2 && word[0] == 's' && std::isdigit(static_cast<unsigned char>(word[1]))) {
      const std::size_t before = chosen.size();
      std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                   [&](const Exercise& e) { return std::stoi(e.session) == word[1] - '0'; });
      if (chosen.size() == before)
        throw UserError(ExitCode::usage, concat("session ", word[1], " has no exercises"), "");
    } else {
      chosen.push_back(find_exercise(all, word));
    }
  }
  return chosen;
}

std::map<std::string, std::vector<double>> read_example(const fs::path& readme) {
  std::map<std::string, std::vector<double>> arrays;
  std::istringstream in(read_text(readme));
  bool inside = false;
  std::vector<double>* current = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line.starts_with("```example");
      current = nullptr;
      continue;
    }
    if (!inside) continue;
    if (const std::size_t equals = line.find('='); equals != std::string::npos) {
      std::istringstream name(line.substr(0, equals));
      std::string word;
      name >> word;
      current = &(arrays[word] = {});
      line = line.substr(equals + 1);
    }
    std::istringstream numbers(line);
    for (double x; current && numbers >> x;) current->push_back(x);
  }
  return arrays;
}

std::vector<std::string> read_hints(const Exercise& exercise) {
  std::vector<std::string> hints;
  std::istringstream in(read_text(exercise.folder / "hints.md"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## "))
      hints.emplace_back();
    else if (!hints.empty())
      hints.back() += line + "\n";
  }
  for (std::string& hint : hints) {
    while (!hint.empty() && hint.front() == '\n') hint.erase(0, 1);
    while (!hint.empty() && hint.back() == '\n') hint.pop_back();
  }
  return hints;
}

}  // namespace moe::grade
