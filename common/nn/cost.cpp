#include "common/nn/cost.hpp"

#include <algorithm>
#include <cmath>

namespace moe {

ModelCost cost_of(const LanguageModelConfig& c) {
  const std::int64_t E = c.moe.experts, K = E > 0 ? (c.moe.router == "switch" ? 1 : c.moe.top_k) : 1;
  const std::int64_t attention = c.width * c.head_width * (2 * c.heads + 2 * c.kv_heads),
                     ffn = 3 * c.width * c.ffn_width;
  const std::int64_t router = E * c.width, norms = 2 * c.width, table = c.vocabulary * c.width;
  const std::int64_t outside = table * (c.tied_head ? 1 : 2) + c.width;
  ModelCost cost;
  cost.parameters = outside + c.layers * (attention + router + norms + std::max<std::int64_t>(E, 1) * ffn);
  cost.active_parameters = outside + c.layers * (attention + router + norms + K * ffn);
  const double scores = 4.0 * c.heads * c.head_width * (static_cast<double>(c.context) + 1) / 2;
  cost.flops_per_token = 2.0 * table + c.layers * (2.0 * (attention + router + K * ffn) + scores);
  return cost;
}

LanguageModelConfig dense_twin(const LanguageModelConfig& moe, std::int64_t multiple) {
  LanguageModelConfig dense = moe;
  dense.moe.experts = 0;
  dense.ffn_width = multiple;
  const double per_width = (6.0 * moe.width) * moe.layers;  // FLOPs a token for one more unit of FFN width
  const double missing = cost_of(moe).flops_per_token - cost_of(dense).flops_per_token;
  dense.ffn_width += multiple * static_cast<std::int64_t>(std::llround(missing / per_width / multiple));
  return dense;
}

}  // namespace moe
