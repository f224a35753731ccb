// Atomics on global and shared memory; each returns what stood there before. Blocks run on several threads of the
// operating system at once, so these are real ones.
#pragma once

#include <atomic>
#include <type_traits>

namespace moe::simt {
namespace detail {

// The parameter after the pointer takes its type from the pointer alone, so that atomicAdd(&unsigned, 1) means 1u.
template <class T>
using Value = std::type_identity_t<T>;

template <class T, class Change>
T update(T* address, Change change) {
  std::atomic_ref<T> cell(*address);
  T old = cell.load(std::memory_order_relaxed);
  while (!cell.compare_exchange_weak(old, change(old), std::memory_order_relaxed)) {
  }
  return old;
}

}  // namespace detail

template <class T>
T atomicAdd(T* address, detail::Value<T> value) {
  return std::atomic_ref<T>(*address).fetch_add(value, std::memory_order_relaxed);
}
template <class T>
T atomicSub(T* address, detail::Value<T> value) {
  return std::atomic_ref<T>(*address).fetch_sub(value, std::memory_order_relaxed);
}
template <class T>
T atomicMax(T* address, detail::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMax for integers only");
  return detail::update(address, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* address, detail::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMin for integers only");
  return detail::update(address, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* address, detail::Value<T> value) {
  return std::atomic_ref<T>(*address).exchange(value, std::memory_order_relaxed);
}
template <class T>
T atomicCAS(T* address, detail::Value<T> compare, detail::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicCAS for integers only");
  std::atomic_ref<T>(*address).compare_exchange_strong(compare, value, std::memory_order_relaxed);
  return compare;
}

}  // namespace moe::simt
