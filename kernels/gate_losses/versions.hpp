// The rows of the table, private to this folder.
#pragma once

#include "kernels/gate_losses/gate_losses.hpp"

namespace moe::detail {

template <class T>
void gate_losses_separate(Context&, std::int32_t* count, T* balance, T* z, const T* probability,
                          const T* logsumexp, const std::int32_t* expert, const GateLossShape&);
template <class T>
void gate_losses_one_pass(Context&, std::int32_t* count, T* balance, T* z, const T* probability,
                          const T* logsumexp, const std::int32_t* expert, const GateLossShape&);

}  // namespace moe::detail
