// What a model costs, from its configuration alone.
#pragma once

#include "common/nn/config.hpp"

namespace moe {

struct ModelCost {
  std::int64_t parameters;         // all
  std::int64_t active_parameters;  // that take part in one token: K of E experts
  double
      flops_per_token;  // forward, multiply and add counted apart: projections, attention over the mean causal
                        // context, router, FFN or K experts, head. Training costs three times this.
};
ModelCost cost_of(const LanguageModelConfig& config);

// The dense model with the same active FLOPs per token: same width, layers and heads, FFN width rounded to `multiple`.
LanguageModelConfig dense_twin(const LanguageModelConfig& moe, std::int64_t multiple = 4);

}  // namespace moe
