// What a Mixture-of-Experts layer is, in numbers.
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
  std::int64_t groups = 1;            // bias_balanced: equal groups of experts
  std::int64_t kept_groups = 1;       // of which a token's experts may come
  double bias_rate = 1e-3;            // bias_balanced: how far a bias moves in a step
  double gate_scale = 1;              // bias_balanced: weights sum to this
};

// The config with what its router implies filled in: switch has top_k 1, weights as they are, and capacity factor 1.25 unless
// another is given; gshard two choices that sum to 1 and factor 1; expert_choice factor 1. Idempotent. (common/moe/routers/router.cpp)
MoeConfig resolved(MoeConfig config);

// What a router visits, in order and without prefix: checkpoints and counts know it from the config alone.
struct RouterParameter {
  const char* name;
  std::vector<std::int64_t> shape;
};
inline std::vector<RouterParameter> router_parameters(const MoeConfig& config, std::int64_t D) {
  if (config.router == "hash") return {};
  std::vector<RouterParameter> list = {{"weight", {config.experts, D}}};
  if (config.router == "bias_balanced") list.push_back({"bias", {config.experts}});
  return list;
}

}  // namespace moe
