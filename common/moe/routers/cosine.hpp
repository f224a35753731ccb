// Cosine routing (X-MoE, arXiv:2204.09179): tokens and experts are compared by direction, in few dimensions, so that a router
// cannot draw hidden states towards its experts by making either long.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Scores exp(min(t, ln 100))·cos(P·x, e_i) with P (`projection`, (score_width, D)), e (`weight`, (E, score_width)) and the learned
// t (`temperature`, (1)), which starts at ln 10; then as top_k without a capacity. score_width 0 means E/2, at least 2.
std::unique_ptr<Router> make_cosine_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D);
std::vector<RouterParameter> cosine_parameters(const MoeConfig& config, std::int64_t D);
void resolve_cosine(MoeConfig& config);

}  // namespace moe
