// Softmax over experts, then the K best: the router of Mixtral, OLMoE and, with K = 1 and a capacity, of Switch.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// K = config.top_k, weights renormalised or not; config.capacity_factor > 0 drops what overflows (0: dropless).
std::unique_ptr<Router> make_top_k_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

// K = 1, weight = probability (so that the router gets a gradient), capacity factor 1.25 unless the config says another.
std::unique_ptr<Router> make_switch_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D);

}  // namespace moe
