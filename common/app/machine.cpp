#include "common/app/machine.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/app/format.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  if (in) out << in.rdbuf();
  return out.str();
}

// The value after `key` and `separator` on the first line that starts with key; "" when there is none.
std::string value_of(const std::string& path, const std::string& key, char separator) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const std::size_t first = line.find_first_not_of(" \t\"", at + 1);
    const std::size_t last = line.find_last_not_of(" \t\"");
    return first == std::string::npos ? "" : line.substr(first, last - first + 1);
  }
  return "";
}

// This process's control group (version 2) and those around it, innermost first.
std::vector<std::string> control_groups() {
  std::string group = value_of("/proc/self/cgroup", "0::", ':');
  group = group.empty() ? "" : group.substr(group.find('/'));
  std::vector<std::string> folders;
  for (; group.size() > 1; group.resize(group.rfind('/'))) folders.push_back("/sys/fs/cgroup" + group);
  folders.push_back("/sys/fs/cgroup");
  return folders;
}

int usable_cores() {
  cpu_set_t mask;
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) cores = CPU_COUNT(&mask);
  for (const std::string& folder : control_groups())
    if (const auto quota = cores_from_cpu_max(read_all(folder + "/cpu.max"))) cores = std::min(cores, *quota);
  return std::max(1, cores);
}

std::int64_t usable_memory() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  for (const std::string& folder : control_groups()) {
    std::istringstream in(read_all(folder + "/memory.max"));
    if (std::int64_t limit = 0; in >> limit) bytes = std::min(bytes, limit);
  }
  return bytes;
}

std::string cpu_name() {
  for (const char* key : {"model name", "Hardware", "cpu model"})
    if (std::string name = value_of("/proc/cpuinfo", key, ':'); !name.empty()) return name;
  return "unknown CPU";
}

std::string os_name() {
  std::string name = value_of("/etc/os-release", "PRETTY_NAME", '=');
  return name.empty() ? "unknown system" : name;
}

std::string cores_text(int n) {
  return concat(n, n == 1 ? " core" : " cores");
}

}  // namespace

std::optional<int> cores_from_cpu_max(std::string_view text) {
  std::istringstream in{std::string(text)};
  double quota = 0, period = 0;
  if (!(in >> quota >> period) || !(quota > 0) || !(period > 0)) return std::nullopt;
  return static_cast<int>(std::clamp(quota / period, 1.0, 65536.0));
}

Machine this_machine() {
  return {cpu_name(), os_name(), usable_cores(), usable_memory()};
}

std::string describe(const Machine& m) {
  return concat(m.cpu, ", ", cores_text(m.cores), ", ", format_bytes(static_cast<double>(m.memory)), ", ",
                m.os);
}

std::vector<std::pair<std::string, std::string>> machine_facts(const Machine& m) {
  return {{"CPU", m.cpu},
          {"Cores usable", std::to_string(m.cores)},
          {"Memory", format_bytes(static_cast<double>(m.memory))},
          {"Peak memory of this process", format_bytes(static_cast<double>(peak_resident_bytes()))},
          {"System", m.os}};
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts KiB
}

}  // namespace moe
