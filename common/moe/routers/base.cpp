#include "common/moe/routers/base.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/moe/assignment.hpp"
#include "common/moe/routers/router_ops.hpp"
#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

// Of the range of the scores: a token may miss its best place by that much.
constexpr double kEpsilon = 1e-4;

std::vector<std::int32_t> balanced(const std::vector<double>& score, std::int64_t N, std::int64_t E) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double s : score)
    if (std::isfinite(s)) low = std::min(low, s), high = std::max(high, s);
  const double epsilon = high > low ? kEpsilon * (high - low) : 1;  // all alike: any assignment will do
  return balanced_assignment(score, N, even_capacity(score, N, E), epsilon);
}

class Base final : public Router {
 public:
  Base(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : E_(config.experts), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const Tensor expert = f.training ? assign(f.ctx, logits.tensor) : best_of(f.ctx, logits.tensor, 1).expert;
    const Value weight =
        ops::weigh_choice(f, ops::sigmoid(f, logits), expert, {.N = 0, .E = 0, .K = 0, .renormalise = false});
    push_choice(f, count_choices(f.ctx, expert, E_), {}, expert, weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = 1};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  Tensor assign(Context& ctx, const Tensor& logits) const {
    Scope scope(ctx, "base.auction");
    return tensor_of<std::int32_t>(ctx, balanced(host_values(logits), logits.rows(), E_), {logits.rows(), 1});
  }

  std::int64_t E_;
  Parameter weight_;  // (E, D)
};

}  // namespace

std::unique_ptr<Router> make_base_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D) {
  return std::make_unique<Base>(ctx, dtype, config, D);
}

void resolve_base(MoeConfig& config) {
  config.top_k = 1;
  config.renormalise = false;
}

}  // namespace moe
