// Experts: E feed-forward networks as one operation over rows grouped by expert.
//
// An interface, so that routers, MoE layer and language model never learn of ranks: local now, expert parallel
// (all-to-all, local, all-to-all) behind the same call.
#pragma once

#include <string>

#include "common/ops/ops.hpp"

namespace moe {

class Experts {
 public:
  virtual ~Experts() = default;
  virtual std::int64_t count() const = 0;  // E
  // rows (A, D), offset (E+1) → (A, D). Rows from offset[E] on hold nothing before and after.
  virtual Value forward(ForwardContext& f, const Value& rows, const Tensor& offset) = 0;
  virtual void visit(const ParameterVisitor& visitor, const std::string& prefix) = 0;
};

// SwiGLU experts in this process, packed: gate_up (E, 2F, D), down (E, D, F). With E = 1, a dense FFN.
class LocalExperts final : public Experts {
 public:
  // residual_scale multiplies the initial down projection: 1/sqrt(2·layers) keeps a deep residual stream in bounds.
  LocalExperts(Context& ctx, DType dtype, std::int64_t E, std::int64_t D, std::int64_t F,
               double residual_scale = 1, ParameterGroup group = ParameterGroup::expert);
  std::int64_t count() const override { return gate_up_.value.size(0); }
  Value forward(ForwardContext& f, const Value& rows, const Tensor& offset) override;
  void visit(const ParameterVisitor& visitor, const std::string& prefix) override;

 private:
  Parameter gate_up_, down_;
};

}  // namespace moe
