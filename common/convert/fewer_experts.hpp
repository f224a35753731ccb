// A trained language model with fewer experts: some pruned, or groups of them merged. The model given stays as it is; the new one
// lies on ctx's device. Every layer gets the same number of experts.
//
// All throw UserError (usage) for a dense model; for routers whose parameters have not a row for each expert (hash, for one: it
// sends tokens elsewhere once there are fewer); for group-limited choice (groups > 1), whose groups would change; and where
// fewer than K would be left.
#pragma once

#include <vector>

#include "common/convert/statistics.hpp"

namespace moe {

LanguageModel copy_of(Context& ctx, LanguageModel& model);

// kept[layer]: the experts that stay, the same number in every layer. Others go with their rows of the router, so that their
// tokens go to the next best. Exact where the pruned were never chosen and weights are renormalised.
LanguageModel pruned_model(Context& ctx, LanguageModel& model,
                           const std::vector<std::vector<std::int64_t>>& kept);

enum class RouterRows {
  kept,  // the router chooses as before, and its outputs of one group share the merged expert (MC-SMoE, arXiv:2310.01334).
  // Exact where the experts of a group compute the same. config() still counts the outputs; the experts are
  // fewer, so a checkpoint of this model cannot be loaded.
  merged  // one row a group: their mean, weighted like the experts. An ordinary model with fewer experts.
};

// groups[layer]: a partition of its experts (group_by_logits), the same number of groups in every layer. Members are
// weighted by how often statistics[layer] saw them used.
LanguageModel merged_model(Context& ctx, LanguageModel& model, const std::vector<ExpertGroups>& groups,
                           const std::vector<ExpertStatistics>& statistics,
                           RouterRows rows = RouterRows::kept);

// Numbers in all parameters, as they are.
std::int64_t count_parameters(LanguageModel& model);

}  // namespace moe
