#include "common/moe/experts.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {

LocalExperts::LocalExperts(Context& ctx, DType dtype, std::int64_t E, std::int64_t D, std::int64_t F,
                           double residual_scale, ParameterGroup group)
    : gate_up_(make_parameter(ctx, dtype, {E, 2 * F, D}, 1 / std::sqrt(static_cast<double>(D)), group)),
      down_(
          make_parameter(ctx, dtype, {E, D, F}, residual_scale / std::sqrt(static_cast<double>(F)), group)) {}

Value LocalExperts::forward(ForwardContext& f, const Value& rows, const Tensor& offset) {
  return ops::grouped_ffn(f, rows, gate_up_, down_, offset);
}

void LocalExperts::visit(const ParameterVisitor& visitor, const std::string& prefix) {
  visitor(prefix + "gate_up.weight", gate_up_);
  visitor(prefix + "down.weight", down_);
}

SharedExperts::SharedExperts(Context& ctx, std::unique_ptr<Experts> experts,
                             const std::vector<std::int32_t>& first)
    : experts_(std::move(experts)), outputs_(first.empty() ? 0 : first.back()) {
  MOE_CHECK(static_cast<std::int64_t>(first.size()) == experts_->count() + 1 && first[0] == 0 &&
                std::is_sorted(first.begin(), first.end()),
            first.size(), " bounds for ", experts_->count(), " experts");
  first_ = tensor_of<std::int32_t>(ctx, first, {static_cast<std::int64_t>(first.size())});
}

Value SharedExperts::forward(ForwardContext& f, const Value& rows, const Tensor& offset) {
  const Tensor shared = Tensor::empty(f.ctx, DType::i32, first_.shape());
  look_up(f.ctx, shared.data<std::int32_t>(), offset.data<std::int32_t>(), first_.data<std::int32_t>(),
          first_.numel());
  return experts_->forward(f, rows, shared);
}

void SharedExperts::visit(const ParameterVisitor& visitor, const std::string& prefix) {
  experts_->visit(visitor, prefix);
}

}  // namespace moe
