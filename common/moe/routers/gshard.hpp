// GShard's top-2 (Lepikhin 2020, arXiv:2006.16668, algorithm 1).
#pragma once

#include "common/moe/routers/router.hpp"

namespace moe {

// Weights are normalised over the two, before anything is dropped. In training the second expert is used with probability
// min(1, 2·weight). Capacity 2N/E · factor is given to all first choices before any second one: so a later token can take a
// place from an earlier one. The balance loss counts first choices only.
std::unique_ptr<Router> make_gshard_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D);

void resolve_gshard(MoeConfig& config);  // K = 2, renormalised, capacity factor 1 unless another is given

}  // namespace moe
