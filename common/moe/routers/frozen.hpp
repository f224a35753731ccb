// A router that is random and never learns, as in SMoE-Dropout (arXiv:2303.01610): softmax top-k with frozen weights.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// No loss: nothing can be balanced. K stays what the config says; the paper lets it grow during training.
std::unique_ptr<Router> make_frozen_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D);

}  // namespace moe
