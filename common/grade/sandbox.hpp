// Starts programs that are not trusted: answers, and the compiler at work on them. They get limits, an empty environment,
// a scratch directory, no descriptors but those named, no way to gain privileges. Started by root they run as a user of
// their own, so that they can neither signal nor read whoever started them. Where the system lets a process have a
// network of its own, theirs has no other end.
//
// For a process of its own (the grader): it becomes the parent of what its children leave behind.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace moe::grade {

struct Limits {
  std::uint64_t address_space = 0;  // bytes, 0: none. What may be reserved,
  std::uint64_t data = 0;           // and what may be written to
  int cpu_seconds = 0;
  std::uint64_t file_bytes = 0;
  int processes = 0;  // of its user; threads count. 0: none but itself
};

struct Spawn {
  std::vector<std::string> words;  // program with its path, arguments
  std::vector<std::string> environment{};
  std::filesystem::path directory;
  int request_fd = -1, reply_fd = -1;  // become descriptors 3 and 4
  int text_fd = -1;                    // standard output and error; standard input is empty
  Limits limits{};
  unsigned user = 0;  // user and group where the caller is root; 0: the caller's
};

// The child's process id. Throws Error when the system has no process to give. A program that cannot be started ends with
// code 127.
pid_t spawn(const Spawn& what);

// Makes this process hard to read and to meddle with, and the parent of orphans. Once, at the start of the grader.
void protect_this_process();

// Kills the process group and everything else that became a child of this process; returns the child's wait status.
// `left_behind`: processes that outlived it.
int end_child(pid_t child, int* left_behind = nullptr);

// Waits until the child ends, or kills it after `seconds`; its wait status. False: killed.
bool wait_for(pid_t child, double seconds, int* status);

// A user id that nobody has, as far as possible another for every process of root's; 0 where the caller is not root, or may
// not become another.
unsigned spare_user();

// Does the system filter calls for the asking (seccomp)? Tried once, in a child.
bool can_seal();

}  // namespace moe::grade
