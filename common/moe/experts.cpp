#include "common/moe/experts.hpp"

#include <cmath>

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

}  // namespace moe
