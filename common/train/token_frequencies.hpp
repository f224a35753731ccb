// How often training shows each token id: for routers whose table is made of it.
#pragma once

#include <cstdint>
#include <vector>

#include "common/data/corpus.hpp"

namespace moe {

// (V) of the training part, in 2^-32 of a domain's share: batches draw domains uniformly (make_batch), so each domain counts the same, however
// long it is. An id that occurs at all counts at least 1. Throws Error for an id that is not below V.
std::vector<std::int64_t> token_frequencies(const Corpus& corpus, std::int64_t V);

}  // namespace moe
