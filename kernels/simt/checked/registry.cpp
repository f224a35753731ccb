#include "kernels/simt/checked/registry.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/simt/device_memory.hpp"

namespace moe::simt {
namespace {

constexpr std::size_t kRemembered = 1024;  // released allocations

// So that programs that check nothing pay one load for a release.
std::atomic<bool> used{false};

std::uintptr_t number(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace

Registry& Registry::instance() {
  static Registry& registry = *new Registry;  // outlives everything that releases memory
  return registry;
}

void Registry::add(const void* begin, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::uintptr_t from = number(begin);
  auto next = live_.lower_bound(from);
  if (next != live_.begin() && std::prev(next)->second->contains(from, 1)) --next;
  while (next != live_.end() && (next->first == from || next->first < from + bytes)) retire(next++);
  for (auto& [address, size] : released_)
    if (address < from + bytes && from < address + size) size = 0;  // the memory is in use again
  live_.emplace(from, std::make_unique<Shadow>(begin, bytes));
}

void Registry::remove(const void* begin) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = live_.find(number(begin));
  if (at == live_.end()) return;
  if (released_.size() < kRemembered) released_.resize(kRemembered);
  released_[next_released_++ % kRemembered] = {at->first, at->second->bytes()};
  retire(at);
}

void Registry::retire(Live::iterator allocation) {
  if (launching_) retired_.push_back(std::move(allocation->second));
  live_.erase(allocation);
}

void Registry::set_defined(const void* begin, std::size_t bytes, bool defined) {
  const std::lock_guard lock(mutex_);
  const std::uintptr_t from = number(begin);
  const auto at = holder(from);
  if (at == live_.end() || bytes == 0) return;
  const std::size_t room = at->second->begin() + at->second->bytes() - from;
  std::memset(at->second->defined(from), defined, std::min(bytes, room));
}

Registry::Live::iterator Registry::holder(std::uintptr_t address) {
  auto next = live_.upper_bound(address);
  if (next == live_.begin() || !std::prev(next)->second->contains(address, 1)) return live_.end();
  return std::prev(next);
}

Shadow* Registry::find(std::uintptr_t address) {
  const std::lock_guard lock(mutex_);
  const auto at = holder(address);
  return at == live_.end() ? nullptr : at->second.get();
}

Registry::Surroundings Registry::around(std::uintptr_t address) {
  const std::lock_guard lock(mutex_);
  Surroundings found;
  const auto next = live_.upper_bound(address);
  if (next != live_.begin()) found.before = {std::prev(next)->first, std::prev(next)->second->bytes()};
  for (std::size_t i = 0; i < std::min(next_released_, kRemembered) && !found.released; ++i) {
    const auto& [begin, bytes] = released_[(next_released_ - 1 - i) % kRemembered];  // the latest first
    if (address >= begin && address - begin < bytes) found.released = {begin, bytes};
  }
  return found;
}

void Registry::begin_launch() {
  const std::lock_guard lock(mutex_);
  launching_ = true;
}

void Registry::end_launch() {
  const std::lock_guard lock(mutex_);
  launching_ = false;
  retired_.clear();
}

#ifdef MOE_HAVE_CHECKED
void memory_allocated(const void* begin, std::size_t bytes) {
  used.store(true, std::memory_order_relaxed);
  Registry::instance().add(begin, bytes);
}
void memory_released(const void* begin) noexcept {
  if (used.load(std::memory_order_relaxed)) Registry::instance().remove(begin);
}
void memory_written(const void* begin, std::size_t bytes) {
  if (used.load(std::memory_order_relaxed)) Registry::instance().set_defined(begin, bytes, true);
}
#endif

}  // namespace moe::simt
