// Tables of operations that have one plain version a type, and for f32 one in a .cu file called NAME_naive:
//
//   MOE_TABLES(Sigmoid, sigmoid, sigmoid_plain)      of float with the devices' rows, and of double
//   MOE_TABLE(Sigmoid, sigmoid, T, function, ...)    of T, with the rows given
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/base/operation.hpp"

#define MOE_TABLE(Signature, name, T, function, ...)                                                        \
  namespace {                                                                                               \
  constexpr Version<Signature<T>> name##_##T[] = {{"plain", DeviceKind::cpu, 0, function<T>}, __VA_ARGS__}; \
  }                                                                                                         \
  template <>                                                                                               \
  Operation<Signature<T>> name<T>{#name, name##_##T};
#define MOE_TABLES(Signature, name, function)                                           \
  MOE_TABLE(Signature, name, float, function, MOE_DEVICE_ROWS("1_naive", name##_naive)) \
  MOE_TABLE(Signature, name, double, function)
