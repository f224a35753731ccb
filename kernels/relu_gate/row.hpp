// The arithmetic that the CPU and the kernels share. Private to this folder.
#pragma once

#include "kernels/base/host_device.hpp"
#include "kernels/relu_gate/relu_gate.hpp"

namespace moe::detail {

template <class T>
MOE_HOST_DEVICE void relu_element(std::int32_t* expert, T* weight, const T* x, std::int64_t i,
                                  std::int64_t E) {
  const bool closed = x[i] <= 0;  // false for NaN
  expert[i] = closed ? -1 : static_cast<std::int32_t>(i % E);
  weight[i] = closed ? T(0) : x[i];
}

MOE_HOST_DEVICE double sum_of_counts(const std::int32_t* count, std::int64_t E) {
  double sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += count[e];
  return sum;
}

template <class T>
MOE_HOST_DEVICE T factor_of_load(T coefficient, const std::int32_t* count, double wanted, std::int64_t E) {
  return wanted > 0 ? static_cast<T>(static_cast<double>(coefficient) * sum_of_counts(count, E) / wanted)
                    : T(0);
}

template <class T>
MOE_HOST_DEVICE T adapted(T coefficient, const std::int32_t* count, double wanted, double step,
                          std::int64_t E) {
  const double sum = sum_of_counts(count, E);
  const double next = static_cast<double>(coefficient) * (sum > wanted ? step : sum < wanted ? 1 / step : 1);
  return static_cast<T>(next < 1e-12 ? 1e-12 : next > 1e4 ? 1e4 : next);
}

}  // namespace moe::detail
