// The allocations of the checked device (kernels/simt/device_memory.hpp feeds it).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/simt/checked/shadow.hpp"

namespace moe::simt {

class Registry {
 public:
  static Registry& instance();

  void add(const void* begin, std::size_t bytes);
  void remove(const void* begin) noexcept;
  void set_defined(const void* begin, std::size_t bytes, bool defined);

  // The allocation that holds `address`, or null. Found during a launch, it stands until the launch ends.
  Shadow* find(std::uintptr_t address);

  // What lies at an address that no allocation holds: the nearest allocation that ends before it, and one that held it
  // once and was released.
  struct Surroundings {
    std::optional<std::pair<std::uintptr_t, std::size_t>> before, released;  // begin, bytes
  };
  Surroundings around(std::uintptr_t address);

  void begin_launch();
  void end_launch();

 private:
  using Live = std::map<std::uintptr_t, std::unique_ptr<Shadow>>;
  Live::iterator holder(std::uintptr_t address);
  void retire(Live::iterator allocation);

  std::mutex mutex_;
  Live live_;
  bool launching_ = false;
  std::vector<std::unique_ptr<Shadow>> retired_;                  // while it was
  std::vector<std::pair<std::uintptr_t, std::size_t>> released_;  // the last kRemembered, in a ring
  std::size_t next_released_ = 0;
};

}  // namespace moe::simt
