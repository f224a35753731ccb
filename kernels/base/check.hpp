// Errors. Two kinds, because two people read them:
//   UserError  the person at the terminal: what was wrong, where, what to do. Carries the exit code.
//   Error      the person at the source: an expression that should have held, with its file and line.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace moe {

// Exit codes of every program here (docs/architecture.md).
enum class ExitCode : int { ok = 0, verdict_failed = 1, usage = 2, missing = 3, bad_file = 4 };

class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class UserError : public std::runtime_error {
 public:
  // `remedy` is the sentence or the command that mends it; printed on a line of its own.
  UserError(ExitCode code, const std::string& what, const std::string& remedy)
      : std::runtime_error(remedy.empty() ? what : what + "\n  " + remedy), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// concat("rows ", 3, " of ", 4) == "rows 3 of 4"
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

[[noreturn]] void fail_check(const char* expression, const char* file, int line, const std::string& message);

}  // namespace moe

// MOE_CHECK(rows == n, "rows ", rows, " against ", n): throws Error with expression, file and line.
#define MOE_CHECK(condition, ...)                                                                    \
  do {                                                                                               \
    if (!(condition)) ::moe::fail_check(#condition, __FILE__, __LINE__, ::moe::concat(__VA_ARGS__)); \
  } while (false)
