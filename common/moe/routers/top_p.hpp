// Top-p routing (Huang 2024, arXiv:2403.07652): a token takes as many experts as it needs to be sure.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Softmax; the smallest set of best experts whose probabilities sum to `threshold` or more, at most K (the bound that
// the host knows). What is not needed is expert -1. Weights: the probabilities, renormalised over the set or not. Losses:
// the balance loss over what was chosen, the z-loss, and the mean entropy: without it the cheapest way to a low
// language-model loss is to be undecided and use all experts.
std::unique_ptr<Router> make_top_p_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

}  // namespace moe
