#include "common/nn/cost.hpp"

#include <algorithm>
#include <cmath>

namespace moe {

ModelCost cost_of(const LanguageModelConfig& c) {
  const std::int64_t K = c.moe.experts > 0 ? resolved(c.moe).top_k : 1, ffn = 3 * c.width * c.ffn_width;
  const std::int64_t idle = std::max<std::int64_t>(c.moe.experts - K, 0) * ffn * c.layers,
                     table = c.vocabulary * c.width;
  ModelCost cost;
  cost.parameters = static_cast<std::int64_t>(parameter_count(c));
  cost.active_parameters = cost.parameters - idle;
  // Matrices cost two FLOPs a parameter; norms and the look-up in the embedding table are not counted, a tied table is, as head.
  const std::int64_t matrices =
      cost.active_parameters - c.width * (2 * c.layers + 1) - (c.tied_head ? 0 : table);
  const double scores =
      4.0 * static_cast<double>(c.heads * c.head_width) * (static_cast<double>(c.context) + 1) / 2;
  cost.flops_per_token = 2.0 * static_cast<double>(matrices) + static_cast<double>(c.layers) * scores;
  return cost;
}

CostParts parts_of(const LanguageModelConfig& c) {
  const std::int64_t L = c.layers, D = c.width, HW = c.heads * c.head_width, table = c.vocabulary * D;
  const auto matrices = [](CostPart& part, std::int64_t parameters, std::int64_t active) {
    part.parameters = parameters;
    part.active_parameters = active;
    part.flops_per_token = 2.0 * static_cast<double>(active);
  };
  CostParts p;
  const ModelCost whole = cost_of(c);
  p.embedding.parameters = p.embedding.active_parameters = table;
  const std::int64_t attention = L * (2 * HW + 2 * c.kv_heads * c.head_width) * D;
  matrices(p.attention, attention, attention);
  p.attention.flops_per_token +=
      4.0 * static_cast<double>(L * HW) * (static_cast<double>(c.context) + 1) / 2;  // scores and averages
  const std::int64_t idle = whole.parameters - whole.active_parameters,
                     ffn = L * 3 * D * c.ffn_width * std::max<std::int64_t>(c.moe.experts, 1);
  matrices(p.ffn, ffn, ffn - idle);
  p.norms.parameters = p.norms.active_parameters = D * (2 * L + 1);
  matrices(p.head, c.tied_head ? 0 : table, c.tied_head ? 0 : table);
  p.head.flops_per_token = 2.0 * static_cast<double>(table);
  const std::int64_t router =
      whole.parameters - table - attention - ffn - p.norms.parameters - p.head.parameters;
  matrices(p.router, router, router);
  return p;
}

LanguageModelConfig dense_twin(const LanguageModelConfig& moe, std::int64_t multiple) {
  LanguageModelConfig dense = moe;
  dense.moe.experts = 0;
  dense.ffn_width = multiple;
  const double per_width = (6.0 * moe.width) * moe.layers;  // FLOPs a token for one more unit of FFN width
  const double missing = cost_of(moe).flops_per_token - cost_of(dense).flops_per_token;
  const auto more =
      static_cast<std::int64_t>(std::llround(missing / per_width / static_cast<double>(multiple)));
  dense.ffn_width = std::max(multiple, dense.ffn_width + multiple * more);
  return dense;
}

}  // namespace moe
