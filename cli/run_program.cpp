#include "cli/run_program.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string path_of(std::string_view program, std::string_view launcher) {
  const auto path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
  if (!std::filesystem::exists(path)) {
    throw UserError(
        ExitCode::missing, concat("this part is not built: no ", path.string()),
        concat("`", launcher, "` builds and runs it; without the launcher: cmake --build build/cpu --target ",
               program));
  }
  return path.string();
}

}  // namespace

void become_program(std::string_view program, std::string_view launcher, std::span<char* const> arguments) {
  std::string path = path_of(program, launcher);
  std::vector<char*> argv{path.data()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);  // an ignored signal would stay ignored in the new program
  execv(path.c_str(), argv.data());
  throw UserError(ExitCode::missing, concat("cannot run ", path, ": ", std::strerror(errno)), "");
}

}  // namespace moe
