#include "common/nn/cost.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/routers/router.hpp"

namespace moe {

namespace {

TokenWork work_of(const LanguageModelConfig& c) {
  if (c.moe.experts == 0) return {1, 0};
  const MoeConfig moe = resolved(c.moe);
  const RouterRow* const row = find_router(moe.router);
  if (row && row->work) return row->work(moe, c.width, c.context);
  return {static_cast<double>(std::min(moe.top_k, moe.experts)), 0};
}

std::int64_t norms_of(const LanguageModelConfig& c) {
  const std::int64_t qk = c.qk_norm ? (c.heads + c.kv_heads) * c.head_width : 0;
  return c.width + c.layers * (2 * c.width + qk);
}

double expert_flops(const LanguageModelConfig& c) {
  return 6.0 * static_cast<double>(c.layers * c.width * c.ffn_width) * work_of(c).expert_rows;
}

double mixing_flops(const LanguageModelConfig& c) {
  return static_cast<double>(c.layers) * work_of(c).mixing_flops;
}

}  // namespace

ModelCost cost_of(const LanguageModelConfig& c) {
  const std::int64_t E = std::max<std::int64_t>(c.moe.experts, 1), ffn = 3 * c.width * c.ffn_width * c.layers,
                     table = c.vocabulary * c.width;
  const double rows = work_of(c).expert_rows;
  ModelCost cost;
  cost.parameters = static_cast<std::int64_t>(parameter_count(c));
  // Of experts that mix tokens all take part.
  const std::int64_t active = mixing_flops(c) > 0 ? E : static_cast<std::int64_t>(rows);
  cost.active_parameters = cost.parameters - (E - active) * ffn;
  // Matrices cost two FLOPs a parameter; norms and the look-up in the embedding table are not counted, a tied table is, as head.
  const std::int64_t matrices = cost.parameters - E * ffn - norms_of(c) - (c.tied_head ? 0 : table);
  const double scores =
      4.0 * static_cast<double>(c.heads * c.head_width) * (static_cast<double>(c.context) + 1) / 2;
  cost.flops_per_token = 2.0 * static_cast<double>(matrices) + static_cast<double>(c.layers) * scores +
                         expert_flops(c) + mixing_flops(c);
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
  p.ffn = {p.ffn.name, ffn, ffn - idle, expert_flops(c)};
  p.norms.parameters = p.norms.active_parameters = norms_of(c);
  matrices(p.head, c.tied_head ? 0 : table, c.tied_head ? 0 : table);
  p.head.flops_per_token = 2.0 * static_cast<double>(table);
  const std::int64_t router =
      whole.parameters - table - attention - ffn - p.norms.parameters - p.head.parameters;
  matrices(p.router, router, router);
  p.router.flops_per_token += mixing_flops(c);
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
