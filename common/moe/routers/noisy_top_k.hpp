// Noisy top-k gating (Shazeer 2017, arXiv:1701.06538, section 2.1 and 4): noise that is learned breaks ties and explores.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Scores x·Wg, in training plus N(0, 1)·softplus(x·Wn); K best, weights softmax over the K. Losses, both with
// balance_coefficient: "importance", CV² of the experts' summed weights, and "load", CV² of a smooth estimate of how many
// tokens each gets; the count itself has no gradient. Wg (`weight`) and Wn (`noise`) start at zero, so that all scores tie: the
// noise, then of deviation ln 2, breaks the ties in training and all experts begin with an equal load. Without training,
// ties go to the lower experts: an untrained model sends everything to the first K.
std::unique_ptr<Router> make_noisy_top_k_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                std::int64_t D);
std::vector<RouterParameter> noisy_top_k_parameters(const MoeConfig& config, std::int64_t D);

}  // namespace moe
