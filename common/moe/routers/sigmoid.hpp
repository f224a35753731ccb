// Sigmoid gating: every expert is judged by itself, only the chosen ones are weighed against each other.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// s = sigmoid(x·w^T), K best; weights s, renormalised over the K or not, times gate_scale. The balance loss takes s divided by
// the sum over all experts: the raw scores could be driven towards zero, which would lower the loss and balance nothing.
// Both sums count as 1e-20 where all scores underflow.
std::unique_ptr<Router> make_sigmoid_router(Context& ctx, DType dtype, const MoeConfig& config,
                                            std::int64_t D);

}  // namespace moe
