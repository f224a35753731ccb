// Null experts (AdaMoE, arXiv:2406.13233): some of a token's choices may be for experts that do nothing, so that easy tokens
// cost less. Choose K larger than usual.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Softmax over E + null_experts, K best; a choice of a null expert is expert -1. Weights are renormalised over the true
// experts that are left; a token with none passes through the residual. The balance loss takes all null experts together: each
// counts as having their mean load, so that nothing is lost by preferring one of them. With as many nulls as experts (the
// default) and perfect balance, a token visits K/2 experts. `weight` is (E + null_experts, D), true experts first.
std::unique_ptr<Router> make_null_experts_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                 std::int64_t D);
std::vector<RouterParameter> null_experts_parameters(const MoeConfig& config, std::int64_t D);
void resolve_null_experts(MoeConfig& config);

}  // namespace moe
