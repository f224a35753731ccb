#include "common/moe/moe_layer.hpp"

#include "kernels/elementwise/elementwise.hpp"

namespace moe {

MoeLayer::MoeLayer(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D, std::int64_t F,
                   double residual_scale)
    : MoeLayer(make_router(ctx, dtype, config, D),
               std::make_unique<LocalExperts>(ctx, dtype, config.experts, D, F, residual_scale)) {}

Value MoeLayer::forward(ForwardContext& f, const Value& x) {
  const auto route = [&] {
    Scope scope(f.ctx, "moe.route");
    return router_->route(f, x);
  };
  const Routing routing = route();
  const Value y = routing.dense ? by_slots(f, x, *routing.dense) : by_assignments(f, x, routing);
  if (f.metrics && f.metrics->detailed) {
    f.metrics->push("input", f.layer, x.tensor);
    f.metrics->push("output", f.layer, y.tensor);
  }
  return y;
}

Value MoeLayer::by_assignments(ForwardContext& f, const Value& x, const Routing& routing) {
  const auto dispatch = [&] {
    Scope scope(f.ctx, "moe.dispatch");
    return dispatch_tokens(f, routing, x, experts_->count());
  };
  const auto [plan, rows] = dispatch();
  if (f.metrics) f.metrics->push("load", f.layer, plan.offset);
  const Value y = experts_->forward(f, rows, plan.offset);
  if (f.metrics && f.metrics->detailed) {
    f.metrics->push("list_row", f.layer, plan.row);
    f.metrics->push("list_weight", f.layer, routing.weight.tensor);
    f.metrics->push("row_output", f.layer, y.tensor);
  }
  return ops::combine_rows(f, y, routing.weight, plan.map);
}

Value MoeLayer::by_slots(ForwardContext& f, const Value& x, const DensePlan& plan) {
  const std::int64_t B = plan.sequences, M = plan.combine.tensor.size(-1);
  if (!slots_.fits(B, experts_->count(), M)) slots_ = SlotOrder(f.ctx, B, experts_->count(), M);
  if (f.metrics) f.metrics->push("load", f.layer, slots_.offset);
  const Value slots = ops::mix_rows(f, plan.dispatch, x, B);
  const Value rows = ops::gather_rows(f, slots, slots_.by_expert);
  const Value y = experts_->forward(f, rows, slots_.offset);
  return ops::mix_rows(f, plan.combine, ops::gather_rows(f, y, slots_.by_sequence), B);
}

void MoeLayer::visit(const ParameterVisitor& visitor, const std::string& prefix) {
  router_->visit(visitor, prefix + "gate.");
  experts_->visit(visitor, prefix + "experts.");
}

void initialise(Context& ctx, std::uint64_t seed,
                const std::function<void(const ParameterVisitor&)>& visit_all) {
  std::uint16_t place = 0;
  visit_all([&](const std::string&, Parameter& p) {
    const RngKey key{.seed = seed, .purpose = Purpose::init, .layer = place++};
    dispatch(p.value.dtype(), [&]<class T>(T) {
      if (p.deviation > 0)
        fill_normal<T>(ctx, p.value.data<T>(), p.deviation, key, p.value.numel());
      else
        fill<T>(ctx, p.value.data<T>(), p.initial, p.value.numel());
    });
  });
}

}  // namespace moe
