// Element types and the one place that turns a run-time dtype into a compile-time type.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/check.hpp"

namespace moe {

enum class DType : std::uint8_t { f32, f64, i32, bf16 };

constexpr std::size_t size_of(DType dtype) {
  return dtype == DType::f64 ? 8 : dtype == DType::bf16 ? 2 : 4;
}
constexpr const char* name_of(DType dtype) {
  constexpr const char* kNames[] = {"f32", "f64", "i32", "bf16"};
  return kNames[static_cast<std::size_t>(dtype)];
}

template <class T>
inline constexpr DType dtype_of = [] {
  static_assert(sizeof(T) == 0, "no DType for this type");
  return DType::f32;
}();
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::i32;

// dispatch(t.dtype(), [&]<class T>(T) { softmax<T>(ctx, ...); });
template <class F>
auto dispatch(DType dtype, F&& f) {
  MOE_CHECK(dtype == DType::f32 || dtype == DType::f64, "no floating-point kernel for ", name_of(dtype));
  return dtype == DType::f32 ? f(float{}) : f(double{});
}

}  // namespace moe
