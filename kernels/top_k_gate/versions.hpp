// The rows of the tables, private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe {
namespace detail {

template <class T>
void top_k_gate_insertion(Context&, std::int32_t* expert, T* weight, const T* score, const TopKShape&);
template <class T>
void top_k_gate_selection(Context&, std::int32_t* expert, T* weight, const T* score, const TopKShape&);
void top_k_gate_lanes(Context&, std::int32_t* expert, float* weight, const float* score, const TopKShape&);

}  // namespace detail

MOE_DEVICE_VERSION(TopKGate<float>, top_k_gate_naive)

}  // namespace moe
