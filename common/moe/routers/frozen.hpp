// A router that is random and never learns, as in SMoE-Dropout (arXiv:2303.01610): softmax top-k with frozen weights.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// No loss: nothing can be balanced.
std::unique_ptr<Router> make_frozen_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D);

// K at a step of training: from 1 in equal stages to top_k at k_growth_steps, and top_k from there on; outside of training
// always top_k. Dropping most experts at first is the dropout of SMoE-Dropout.
std::int64_t growing_top_k(const MoeConfig& config, std::int64_t step);

}  // namespace moe
