// Hash routing balanced by frequency (Roller 2021, arXiv:2106.04426, section 3.1): as hash, but frequent ids are dealt out so
// that every expert gets the same number of tokens.
#pragma once

#include <span>

#include "common/moe/routers/router.hpp"

namespace moe {

// A table (V, K) of experts, the parameter `table`, from how often each id occurs in the training text: from the most to
// the least frequent, an id goes to the K experts that have the least so far. The trainer brings the counts
// (Parameter::on_frequencies) before the first step; checkpoints keep the table. It is the same in all layers. Until it is
// filled, and for ids it does not have, this is `hash`. Needs config.vocabulary.
std::unique_ptr<Router> make_hash_balanced_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t D);
std::vector<RouterParameter> hash_balanced_parameters(const MoeConfig& config, std::int64_t D);

// The table, row by row: K of E experts for each of frequency.size() ids. Ties: the lower id first, the lower expert. Ids that
// never occur count as a quarter of an occurrence, so that they are spread, too.
std::vector<std::int32_t> balanced_table(std::span<const std::int64_t> frequency, std::int64_t E,
                                         std::int64_t K);

}  // namespace moe
