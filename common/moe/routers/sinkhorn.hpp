// Sinkhorn routing (S-BASE in Clark 2022, arXiv:2202.01169): in training, experts are chosen by a balanced matrix.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// In training the choice is the K best of diag(u)·exp(x·w^T)·diag(v), whose columns sum to N/E (kernels/sinkhorn, 20 iterations);
// else of the scores themselves. So training compares tokens, and inference does not. The weights come from the softmax of the raw
// scores either way, renormalised as asked; with K = 1 they are not, so that the router gets a gradient. Nothing is on
// the tape of the balancing. Loads are near N·K/E, not equal to it. The z-loss; no balance loss.
std::unique_ptr<Router> make_sinkhorn_router(Context& ctx, DType dtype, const MoeConfig& config,
                                             std::int64_t D);

void resolve_sinkhorn(MoeConfig& config);

}  // namespace moe
