// Expert choice (Zhou 2022, arXiv:2202.09368): experts choose tokens, so that loads are equal by construction.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Each expert takes the C = ceil(N·K/E · factor), at most N, tokens with the greatest probability p (softmax over experts) for it,
// and weighs them by p. A token gets K experts on average, perhaps none or all. Every token is compared with later ones:
// not causal, so not for language models that generate. Only the z-loss: there is nothing to balance.
// The metrics "expert" and "weight" are (N, E): expert e where it chose the token, else -1.
std::unique_ptr<Router> make_expert_choice_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t D);

void resolve_expert_choice(
    MoeConfig& config);  // weights as they are; capacity factor 1 unless another is given

}  // namespace moe
