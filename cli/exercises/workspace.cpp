#include "cli/exercises/workspace.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/exercises/editor_files.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

// Where the directory made last is noted: ~/.local/state/moe/work.
fs::path last_made() {
  const char *state = std::getenv("XDG_STATE_HOME"), *home = std::getenv("HOME");
  if (state && *state) return fs::path(state) / "moe/work";
  return home && *home ? fs::path(home) / ".local/state/moe/work" : fs::path();
}

bool is_workspace(const fs::path& directory) {
  return fs::exists(directory / ".moe/home");
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

Workspace::Workspace(fs::path directory) : directory_(std::move(directory)) {
  load();
}

Workspace Workspace::create(const fs::path& where) {
  const fs::path directory = fs::absolute(where).lexically_normal();
  if (fs::exists(directory) && !is_workspace(directory) &&
      !(fs::is_directory(directory) && fs::is_empty(directory)))
    throw UserError(ExitCode::usage, concat(directory.string(), " exists and is no work directory"),
                    "Name a new one: moe start ~/moe-work");
  std::error_code error;
  fs::create_directories(directory / ".moe", error);
  if (error)
    throw UserError(ExitCode::bad_file, concat("cannot make ", directory.string(), ": ", error.message()),
                    "");
  write_file(directory / ".moe/home", grade::repository().string() + "\n");
  const std::vector<grade::Exercise> all = grade::find_exercises();
  Workspace made(directory);
  for (const grade::Exercise& e : all) made.provide(e);
  write_editor_files(directory, all);
  if (const fs::path note = last_made(); !note.empty()) {
    fs::create_directories(note.parent_path(), error);
    std::ofstream(note) << directory.string() << "\n";
  }
  return made;
}

Workspace Workspace::read_only(const fs::path& directory) {
  if (!fs::is_directory(directory))
    throw UserError(ExitCode::bad_file, concat(directory.string(), " is no directory"), "");
  Workspace work(directory);
  work.keeps_state_ = false;
  return work;
}

Workspace Workspace::find() {
  for (fs::path at = fs::current_path(); at != at.parent_path(); at = at.parent_path())
    if (is_workspace(at)) return Workspace(at);
  const char* named = std::getenv("MOE_WORK");
  for (const fs::path& at : {fs::path(named ? named : ""), fs::path(first_line(last_made()))})
    if (!at.empty() && is_workspace(at)) return Workspace(at);
  throw UserError(ExitCode::usage, "no work directory", "moe start ~/moe-work   makes one");
}

std::string Workspace::program() const {
  const fs::path program = directory_ / "moe";
  std::error_code ignored;
  if (!fs::exists(program, ignored)) return "moe";  // a directory of answers alone
  return fs::equivalent(directory_, fs::current_path(), ignored) ? "./moe" : program.string();
}

fs::path Workspace::answer(const grade::Exercise& exercise) const {
  return directory_ / (exercise.name + exercise.stub().extension().string());
}

void Workspace::provide(const grade::Exercise& exercise) const {
  if (!fs::exists(answer(exercise))) write_file(answer(exercise), grade::read_text(exercise.stub()));
}

// name earned possible hints [peeked]
void Workspace::load() {
  std::ifstream in(directory_ / ".moe/state");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name, word;
    ExerciseState s{.tried = true};
    if (!(words >> name >> s.earned >> s.possible >> s.hints) || name[0] == '#') continue;
    s.peeked = (words >> word) && word == "solution";
    s.tried = s.possible > 0;
    states_[name] = s;
  }
}

ExerciseState Workspace::state(const grade::Exercise& exercise) const {
  const auto at = states_.find(exercise.name);
  return at == states_.end() ? ExerciseState{} : at->second;
}

void Workspace::save(const grade::Exercise& exercise, const ExerciseState& state) {
  states_[exercise.name] = state;
  if (!keeps_state_) return;
  std::string text = "# exercise, best points, of, hints seen\n";
  for (const auto& [name, s] : states_)
    text += concat(name, " ", s.earned, " ", s.possible, " ", s.hints, s.peeked ? " solution" : "", "\n");
  write_file(directory_ / ".moe/state", text);
}

void Workspace::record(const grade::Verdict& verdict) {
  if (verdict.state != grade::State::graded) return;
  ExerciseState s = state(verdict.exercise);
  if (!s.tried || verdict.earned() >= s.earned || verdict.possible() != s.possible)
    s.earned = verdict.earned();
  s.possible = verdict.possible();
  s.tried = true;
  save(verdict.exercise, s);
}

const grade::Exercise* Workspace::next(const std::vector<grade::Exercise>& all) const {
  for (const grade::Exercise& e : all)
    if (!state(e).passed()) return &e;
  return nullptr;
}

}  // namespace moe
