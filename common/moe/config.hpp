// What a Mixture-of-Experts layer is, in numbers. Which of them a router reads says its row (routers/router.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moe {

struct MoeConfig {
  std::int64_t experts = 0;           // E; 0: the FFN is dense
  std::int64_t top_k = 2;             // K
  std::string router = "top_k";       // a row of common/moe/routers
  bool renormalise = true;            // weights of the chosen sum to 1
  double capacity_factor = 0;         // 0: dropless
  double balance_coefficient = 0.01;  // auxiliary load-balancing loss
  double z_coefficient = 1e-3;        // router z-loss
  std::int64_t groups = 1;            // equal groups of experts
  std::int64_t kept_groups = 1;       // of which a token's experts may come
  double bias_rate = 1e-3;            // how far a bias moves in a step
  double gate_scale = 1;              // weights sum to this
  std::string balance = "batch";  // loss over the batch, each sequence or global (routers/router_losses.hpp)
  double entropy_coefficient = 1e-4;  // penalty on the entropy of the router's distribution
  double threshold = 0.4;             // top_p: what the probabilities of a token's experts shall sum to
  std::int64_t null_experts = 0;      // experts that do nothing; 0: as many as experts
  std::int64_t score_width = 0;       // cosine: width in which scores are taken; 0: half the experts
  double sparsity_factor = 1.2;       // remoe: by which its coefficient grows or falls in a step
  std::int64_t k_growth_steps =
      0;                   // frozen: training steps in which K grows from 1 to top_k; 0: K from the start
  std::int64_t slots = 1;  // soft_moe: of an expert, in every sequence
  std::int64_t router_bits =
      0;                        // of mantissa in the router's operands and logits, 7 for bf16; 0: the model's
  std::int64_t vocabulary = 0;  // V, for routers with a table of ids; a language model fills it in
};

// The config with what its router implies filled in: switch has top_k 1, weights as they are, and capacity factor 1.25 unless
// another is given; gshard two choices that sum to 1 and factor 1; expert_choice factor 1. Idempotent. (common/moe/routers/router.cpp)
MoeConfig resolved(MoeConfig config);

// What a router visits, in order and without prefix: checkpoints and counts know it from the config alone. A name that is
// not in the table counts as one matrix `weight` (E, D).
struct RouterParameter {
  const char* name;
  std::vector<std::int64_t> shape;
};
std::vector<RouterParameter> router_parameters(const MoeConfig& config, std::int64_t D);

}  // namespace moe
