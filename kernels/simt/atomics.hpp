// Atomics on global and shared memory; each returns what stood there before. Blocks run on several threads of the
// operating system at once, so these are real ones. GCC's own functions, not std::atomic_ref: they are watched where they
// stand, in the kernel (kernels/simt/checked).
#pragma once

#include <type_traits>

#include "kernels/simt/front.hpp"

namespace moe::simt {
inline namespace MOE_SIMT_FLAVOUR {
namespace flavoured {

// The parameter after the pointer takes its type from the pointer alone, so that atomicAdd(&unsigned, 1) means 1u.
template <class T>
using Value = std::type_identity_t<T>;

template <class T, class Change>
MOE_SIMT_INLINE T update(T* address, Change change) {
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  T next = change(old);
  while (!__atomic_compare_exchange(address, &old, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    next = change(old);
  return old;
}

}  // namespace flavoured

template <class T>
MOE_SIMT_INLINE T atomicAdd(T* address, flavoured::Value<T> value) {
  if constexpr (std::is_integral_v<T>)
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
  else
    return flavoured::update(address, [=](T old) { return old + value; });
}
template <class T>
MOE_SIMT_INLINE T atomicSub(T* address, flavoured::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicSub for integers only");
  return __atomic_fetch_sub(address, value, __ATOMIC_RELAXED);
}
template <class T>
MOE_SIMT_INLINE T atomicMax(T* address, flavoured::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMax for integers only");
  return flavoured::update(address, [=](T old) { return old < value ? value : old; });
}
template <class T>
MOE_SIMT_INLINE T atomicMin(T* address, flavoured::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMin for integers only");
  return flavoured::update(address, [=](T old) { return value < old ? value : old; });
}
template <class T>
MOE_SIMT_INLINE T atomicOr(T* address, flavoured::Value<T> value) {
  return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);
}
template <class T>
MOE_SIMT_INLINE T atomicAnd(T* address, flavoured::Value<T> value) {
  return __atomic_fetch_and(address, value, __ATOMIC_RELAXED);
}
template <class T>
MOE_SIMT_INLINE T atomicExch(T* address, flavoured::Value<T> value) {
  T old;
  __atomic_exchange(address, &value, &old, __ATOMIC_RELAXED);
  return old;
}
template <class T>
MOE_SIMT_INLINE T atomicCAS(T* address, flavoured::Value<T> compare, flavoured::Value<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicCAS for integers only");
  __atomic_compare_exchange(address, &compare, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return compare;
}

}  // namespace MOE_SIMT_FLAVOUR
}  // namespace moe::simt
