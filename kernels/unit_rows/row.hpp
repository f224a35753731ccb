// One row at a time: the arithmetic that the CPU and the kernels share. Private to this folder.
#pragma once

#include <cmath>

#include "kernels/base/host_device.hpp"
#include "kernels/unit_rows/unit_rows.hpp"

namespace moe::detail {

template <class T>
MOE_HOST_DEVICE void unit_row(T* y, T* r, const T* x, std::int64_t C) {
  T sum = T(1e-12);
  for (std::int64_t c = 0; c < C; ++c) sum += x[c] * x[c];
  *r = 1 / std::sqrt(sum);
  for (std::int64_t c = 0; c < C; ++c) y[c] = x[c] * *r;
}

template <class T>
MOE_HOST_DEVICE void unit_row_backward(T* dx, const T* dy, const T* y, T r, std::int64_t C) {
  T along = 0;
  for (std::int64_t c = 0; c < C; ++c) along += y[c] * dy[c];
  for (std::int64_t c = 0; c < C; ++c) dx[c] = r * (dy[c] - y[c] * along);
}

constexpr double kMostLogTemperature = 4.6051701859880914;  // ln 100

template <class T>
MOE_HOST_DEVICE T inverse_temperature(T t) {
  return std::exp(t > T(kMostLogTemperature) ? T(kMostLogTemperature) : t);  // NaN passes through
}

}  // namespace moe::detail
