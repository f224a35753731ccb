// Soft MoE (Puigcerver 2023, arXiv:2308.00951): experts work on mixtures of tokens, and nothing is chosen.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// In each sequence X (T, D), with Φ (M, D) and M = E·config.slots: dispatch = softmax over tokens of Φ·X^T, combine = softmax over
// slots of X·Φ^T (equations 1 and 3). A sequence stands for the paper's image: ForwardContext::tokens says how many there are,
// all of one length; without it the batch is one. Fully differentiable, no losses; every output sees the whole
// sequence, so not for models that generate. Tokens and Φ are not normalised as in the paper's section 2.3.
// Metrics: "weight" and "probability" (N, E) a token's combine weights added up by expert, "expert" (N, E) = 0..E-1, "choice" the slots
// of each expert.
std::unique_ptr<Router> make_soft_moe_router(Context& ctx, DType dtype, const MoeConfig& config,
                                             std::int64_t D);

std::vector<RouterParameter> soft_moe_parameters(const MoeConfig& config, std::int64_t D);  // phi (M, D)

// A sequence's M slots are shared by its T tokens; dispatch and combine are products (M, T, D) and (T, M, D).
TokenWork soft_moe_work(const MoeConfig& config, std::int64_t D, std::int64_t T);

}  // namespace moe
