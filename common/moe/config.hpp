// What a Mixture-of-Experts layer is, in numbers.
#pragma once

#include <cstdint>
#include <string>

namespace moe {

struct MoeConfig {
  std::int64_t experts = 0;           // E; 0: the FFN is dense
  std::int64_t top_k = 2;             // K
  std::string router = "top_k";       // a row of common/moe/routers
  bool renormalise = true;            // weights of the chosen sum to 1
  double capacity_factor = 0;         // 0: dropless
  double balance_coefficient = 0.01;  // auxiliary load-balancing loss
  double z_coefficient = 1e-3;        // router z-loss
};

// The config with what its router implies filled in: switch has top_k 1, weights as they are, and capacity factor 1.25 unless
// another is given. Idempotent. (common/moe/routers/router.cpp)
MoeConfig resolved(MoeConfig config);

}  // namespace moe
