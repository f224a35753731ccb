// How the experts of a trained model are used on some text: what pruning and merging decide by.
#pragma once

#include <cstdint>
#include <vector>

#include "common/convert/expert_weights.hpp"
#include "common/nn/language_model.hpp"

namespace moe {

struct ExpertStatistics {             // of one MoE layer; sums, so that batches add up
  std::int64_t tokens = 0;            // seen
  std::vector<double> count;          // (E) tokens that each expert was given
  std::vector<double> weighted_norm;  // (E) Σ over these of weight·‖output‖
  std::vector<double>
      logit_product;  // (E, E) Σ over tokens of x·w_i times x·w_j; empty where no router matrix is (E, D)
};

// Runs the model over the tokens (inference) and adds what its layers do; one entry a layer, made by the first call.
// Take training text: held-out text is for the verdict. Throws UserError (usage) for a dense model and for soft MoE.
void observe(Context& ctx, LanguageModel& model, const TokenInfo& tokens,
             std::vector<ExpertStatistics>& layers);

// Router-weighted expert activation pruning (REAP, arXiv:2510.13999): an expert's score (E) is the mean of weight·‖output‖
// over the tokens that it was given; 0 where it was given none.
std::vector<double> reap_scores(const ExpertStatistics& statistics);

// The `keep` experts with the greatest scores, by rising number; of equals the lower. 1 <= keep <= E.
std::vector<std::int64_t> best_scores(const std::vector<double>& score, std::int64_t keep);

// (E, E) cosines of experts' router logits over the tokens seen (MC-SMoE, arXiv:2310.01334, section 3.2).
std::vector<double> logit_similarity(const ExpertStatistics& statistics);

// MC-SMoE's groups: the `groups` experts used most often are references, and each other expert joins the one whose logits are most
// similar to its own; of equals the one used more. In order of use. The paper shares out the references over
// all layers together; here every layer has the same number. Throws UserError (usage) where the router has no logits.
ExpertGroups group_by_logits(const ExpertStatistics& statistics, std::int64_t groups);

}  // namespace moe
