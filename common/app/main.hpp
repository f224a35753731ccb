// How every program here starts and ends.
//
//   int main(int argc, char** argv) {
//     return moe::run_main([&] { ...; return 0; });
//   }
#pragma once

#include <functional>

namespace moe {

// Beyond ExitCode (kernels/base/check.hpp), which are about what the user asked for:
inline constexpr int kExitInternal =
    70;  // a failed check or an exception that nobody expected; out of memory
inline constexpr int kExitInterrupted = 130;  // ended by Ctrl-C, as shells count it

// Runs `body` and returns its result, or an exit code in place of an exception, whose message goes to stderr.
// UserError: "error: what was wrong", the remedy on the next line, its own code. Everything else:
// kExitInternal.
//
// A reader that goes away (`moe list | head -1`) is no error: SIGPIPE is ignored and the rest of the output
// is lost. Standard output that cannot be written for another reason (a full disk) is: code 4.
int run_main(const std::function<int()>& body);

// "0.1.0"
const char* version();

}  // namespace moe
