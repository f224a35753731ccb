// What a model costs, from its configuration alone.
#pragma once

#include <array>

#include "common/nn/config.hpp"

namespace moe {

struct ModelCost {
  std::int64_t parameters;  // all
  std::int64_t
      active_parameters;  // that take part in one token: K of E experts; all, where experts work on mixtures
  double
      flops_per_token;  // forward, multiply and add counted apart: projections, attention over the mean causal
                        // context, router, FFN or K experts, head. Training costs three times this.
};
ModelCost cost_of(const LanguageModelConfig& config);

// Where it sits. The parts sum to cost_of, up to rounding in the FLOPs.
struct CostPart {
  const char* name;
  std::int64_t parameters, active_parameters;
  double flops_per_token;  // of norms and the look-up in the embedding table: not counted, 0
};
struct CostParts {
  CostPart embedding{"embedding", 0, 0, 0}, attention{"attention", 0, 0, 0}, ffn{"FFN", 0, 0, 0},
      router{"router", 0, 0, 0}, norms{"norms", 0, 0, 0}, head{"head", 0, 0, 0};
  std::array<const CostPart*, 6> all() const {
    return {&embedding, &attention, &ffn, &router, &norms, &head};
  }
};
CostParts parts_of(const LanguageModelConfig& config);

// The dense model with the same active FLOPs per token: same width, layers and heads, FFN width rounded to `multiple`.
LanguageModelConfig dense_twin(const LanguageModelConfig& moe, std::int64_t multiple = 4);

}  // namespace moe
