// Hash routing (Roller 2021, arXiv:2106.04426): a token's id alone decides, by a fixed random function of each layer.
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// K different experts an id, each with weight 1/K. No parameters, no losses, and no gradient for x. Needs token ids
// (ForwardContext::tokens). The function is the same in training and inference, whatever the seed.
std::unique_ptr<Router> make_hash_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

// What routers by id share.
RngKey hash_key(const ForwardContext& f);                   // of this layer's function
Tensor token_ids(const ForwardContext& f, std::int64_t N);  // of the pass; throws Error where there are none
Routing equal_shares(ForwardContext& f, const Value& x, const Tensor& expert,
                     std::int64_t E);  // expert (N, K), weight 1/K

}  // namespace moe
