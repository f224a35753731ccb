// What the worker asks the system to refuse from now on, before any of the answer's code has run (seccomp).
#pragma once

namespace moe::worker {

// Set by the program's entry: sealed as the command line asked for and the system allows. The grader looks for itself
// whether the system allows it; it does not ask the worker.
extern int sealed;

// No file can be opened any more. For device workers, which first read their own symbols.
void close_files();

}  // namespace moe::worker
