// Softmax over experts, then the K best: the router of Mixtral, OLMoE and, with K = 1 and a capacity, of Switch.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// K = config.top_k, weights renormalised or not; config.capacity_factor > 0 drops what overflows (0: dropless).
std::unique_ptr<Router> make_top_k_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

// Switch in the same terms: K = 1, weight = probability (so that the router gets a gradient), capacity factor 1.25.
void resolve_switch(MoeConfig& config);

}  // namespace moe
