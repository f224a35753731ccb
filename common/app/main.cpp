#include "common/app/main.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <new>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

int report(const char* kind, const char* what, const char* remedy, int code) {
  std::cout.flush();
  std::fprintf(stderr, "%s: %s\n%s", kind, what, remedy);
  return code;
}

int guarded(const std::function<int()>& body) {
  try {
    return body();
  } catch (const UserError& error) {
    return report("error", error.what(), "", static_cast<int>(error.code()));
  } catch (const std::bad_alloc&) {
    return report("error", "out of memory", "  A smaller model, batch or number of experts needs less.\n",
                  kExitInternal);
  } catch (const std::exception& error) {
    return report("internal error", error.what(), "  This is a fault of the program, not yours.\n",
                  kExitInternal);
  } catch (...) {
    return report("internal error", "an exception of unknown type", "", kExitInternal);
  }
}

bool reader_has_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

// False when something was written to standard output and did not arrive.
bool flush_output() {
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  return (flushed && !std::cout.bad() && !std::ferror(stdout)) || reader_has_gone();
}

}  // namespace

int run_main(const std::function<int()>& body) {
  signal(SIGPIPE, SIG_IGN);
  const int code = guarded(body);
  if (flush_output() || code != 0) return code;
  return report("error", "cannot write to standard output", "  Is the disk full?\n",
                static_cast<int>(ExitCode::bad_file));
}

const char* version() {
  return MOE_VERSION;
}

}  // namespace moe
