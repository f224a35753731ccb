// Tensors on the host in double, whatever their float type and device. Reading waits for the device: no hot path.
#pragma once

#include <vector>

#include "common/tensor/tensor.hpp"

namespace moe {

inline std::vector<double> host_values(const Tensor& t) {
  return dispatch(t.dtype(), [&]<class T>(T) {
    const std::vector<T> values = values_of<T>(t);
    return std::vector<double>(values.begin(), values.end());
  });
}

inline void write_values(const Tensor& t, const std::vector<double>& values) {
  MOE_CHECK(static_cast<std::int64_t>(values.size()) == t.numel(), values.size(), " values for ",
            to_string(t.shape()));
  dispatch(t.dtype(), [&]<class T>(T) { t.write(std::vector<T>(values.begin(), values.end()).data()); });
}

}  // namespace moe
