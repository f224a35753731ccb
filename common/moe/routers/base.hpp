// BASE layers (Lewis 2021, arXiv:2103.16716): training gives every expert the same number of tokens, by the assignment with
// the greatest total score.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// One expert a token, weight sigmoid(x·w_e). In training the assignment is balanced (common/moe/assignment.hpp): N/E tokens an
// expert, one more for the experts liked most where E does not divide N, and a total score within N·epsilon of the
// greatest possible, epsilon 1e-4 of the scores' range. Else the best expert of each token. No losses and nothing to tune.
//
// The auction runs on the host: in training each layer waits for its scores, (N, E) numbers, and for the auction, about
// 10 ms for 2,048 tokens and 32 experts. On a GPU that is most of the layer's time; `sinkhorn` is the router that stays there.
std::unique_ptr<Router> make_base_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

void resolve_base(MoeConfig& config);  // K = 1, weights as they are

}  // namespace moe
