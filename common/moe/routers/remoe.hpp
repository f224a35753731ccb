// ReMoE (Wang 2024, arXiv:2412.14711): a ReLU instead of top-k, differentiable everywhere; a penalty makes it sparse.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// weight = max(x·w^T, 0); the experts above zero are chosen, however many: the list has N·E places. Loss "l1": λ times the
// gates' mean over tokens, each expert's times its load E·count/(N·K), so that busy experts are pressed most. λ (`lambda`, (1))
// starts at 1e-8. Once an optimizer step it is multiplied by sparsity_factor if more than K experts a token were chosen
// in the step's training passes, divided by it if fewer: in time a token gets K on average. The paper's λ is one for
// all layers; here each has its own, which a checkpoint keeps.
std::unique_ptr<Router> make_remoe_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);
std::vector<RouterParameter> remoe_parameters(const MoeConfig& config, std::int64_t D);

}  // namespace moe
