#include "cli/run_stage.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <vector>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string path_of(const Stage& stage) {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / program_of(stage);
  if (!std::filesystem::exists(path)) {
    throw UserError(ExitCode::missing, concat("stage ", stage.number, " is not built: no ", path.string()),
                    concat("`./moe stage ", stage.number,
                           "` builds and runs it; without the launcher: cmake --build build/cpu --target ",
                           program_of(stage)));
  }
  return path.string();
}

[[noreturn]] void execute(const std::string& path, std::vector<char*> argv) {
  std::signal(SIGPIPE, SIG_DFL);  // an ignored signal would stay ignored in the new program
  argv.push_back(nullptr);
  execv(path.c_str(), argv.data());
  throw UserError(ExitCode::missing, concat("cannot run ", path, ": ", std::strerror(errno)), "");
}

}  // namespace

void become_stage(const Stage& stage, std::span<char* const> arguments) {
  std::string path = path_of(stage);
  std::vector<char*> argv{path.data()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  execute(path, std::move(argv));
}

}  // namespace moe
