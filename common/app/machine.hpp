// The machine that a number was measured on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moe {

struct Machine {
  std::string cpu;          // "AMD EPYC 7B13"
  std::string os;           // "Debian GNU/Linux 12 (bookworm)"
  int cores = 1;            // usable by this process: affinity mask and control group quota
  std::int64_t memory = 0;  // bytes: of the machine, or the control group's limit if lower; 0: unknown
};

Machine this_machine();

// "AMD EPYC 7B13, 2 cores, 7.8 GiB, Debian GNU/Linux 12 (bookworm)"
std::string describe(const Machine& machine);

// The same as (name, value) pairs for a report, with this process's peak memory.
std::vector<std::pair<std::string, std::string>> machine_facts(const Machine& machine);

// Most memory this process ever held, bytes.
std::int64_t peak_resident_bytes();

// Whole cores in a cgroup v2 cpu.max ("150000 100000" gives 1, "max 100000" nothing); at least 1.
std::optional<int> cores_from_cpu_max(std::string_view text);

}  // namespace moe
