// moe teach release: a copy of the course for a class, if wanted without solutions, and a secret seed.
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/grade/verdict.hpp"
#include "common/report/subprocess.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

// Tracked files where the repository is a git checkout, else everything but what is built.
std::vector<fs::path> files_of(const fs::path& root) {
  std::vector<fs::path> files;
  const ProgramResult git =
      run_program({"git", "-c", "safe.directory=*", "-C", root.string(), "ls-files", "-z"}, "");
  if (git.found && git.status == 0) {
    std::istringstream in(git.output);
    for (std::string name; std::getline(in, name, '\0');)
      if (fs::exists(root / name)) files.emplace_back(name);
    return files;
  }
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    const fs::path name = fs::relative(at->path(), root);
    if (name == "build" || name == "runs" || name == ".git")
      at.disable_recursion_pending();
    else if (at->is_regular_file())
      files.push_back(name);
  }
  return files;
}

// References, wrong answers (one slip away from right), and the attacks, which are right but for the attack.
bool is_solution(const fs::path& name) {
  const std::string text = name.string(), file = name.filename().string();
  return (text.starts_with("exercises/") &&
          (file.starts_with("reference.") || text.find("/wrong/") != std::string::npos)) ||
         text.starts_with("tests/exercises/");
}

}  // namespace

int teach_release_main(int argc, char** argv) {
  std::string out, seed_file;
  bool drop = false;
  Flags flags("moe teach release", "Copies the course for a class.",
              "moe teach release --out ../course --drop-solutions --seed-file ~/secret_seed");
  flags.add("--out,-o", out, "a new directory", required());
  flags.add("--drop-solutions", drop, "without references, wrong answers and the tests that hold them");
  flags.add("--seed-file", seed_file, "makes a secret seed for `moe teach grade`; keep it out of the copy");
  flags.parse(argc, argv);
  if (fs::exists(out) && !fs::is_empty(out))
    throw UserError(ExitCode::usage, concat(out, " exists and is not empty"), "Name a new directory.");
  const fs::path to = fs::weakly_canonical(out);
  if (!seed_file.empty() && fs::weakly_canonical(seed_file).string().starts_with(to.string() + "/"))
    throw UserError(ExitCode::usage, "the secret seed would be part of the copy",
                    "Name a --seed-file outside of --out.");
  std::size_t copied = 0, dropped = 0;
  for (const fs::path& name : files_of(grade::repository())) {
    if (drop && is_solution(name)) {
      ++dropped;
      continue;
    }
    fs::create_directories((to / name).parent_path());
    fs::copy_file(grade::repository() / name, to / name);
    ++copied;
  }
  std::printf("%zu files in %s, %zu left out\n", copied, to.c_str(), dropped);
  if (!seed_file.empty()) {
    if (fs::exists(seed_file))
      throw UserError(ExitCode::usage, seed_file + " exists", "A seed is kept for a whole class.");
    write_file(seed_file, std::to_string(grade::fresh_seed()) + "\n");
    chmod(seed_file.c_str(), 0600);
    std::printf("the secret seed is in %s\n", seed_file.c_str());
  }
  return 0;
}

}  // namespace moe
