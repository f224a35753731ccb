// Sigmoid gating balanced by a bias instead of a loss (DeepSeek-V3, arXiv:2412.19437, section 2.1.2).
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// s = sigmoid(x·w^T). The experts are the K best of s + bias, if config.groups > 1 out of the kept_groups best groups; they
// are weighed by s alone, normalised over the K and times gate_scale. Once an optimizer step each bias moves by bias_rate
// towards balance, by the loads of all the step's training passes. No losses. The entropy metric is not pushed: scores
// are no distribution.
// Throws UserError (usage) where the groups are unequal or the kept ones hold fewer than K experts.
std::unique_ptr<Router> make_bias_balanced_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t D);
std::vector<RouterParameter> bias_balanced_parameters(const MoeConfig& config, std::int64_t D);

}  // namespace moe
