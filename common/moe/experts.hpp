// Experts: E feed-forward networks as one operation over rows grouped by expert.
//
// An interface, so that routers, MoE layer and language model never learn of ranks: local now, expert parallel
// (all-to-all, local, all-to-all) behind the same call.
#pragma once

#include <memory>
#include <string>
#include <vector>

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

// Fewer experts than the router knows: neighbouring outputs of the router share one (what merging leaves, MC-SMoE,
// arXiv:2310.01334). Rows of one expert stand together whichever output chose them, so only the offsets change.
class SharedExperts final : public Experts {
 public:
  // Expert e serves the outputs first[e] .. first[e+1]; first (E'+1) rises from 0 to the number of outputs.
  SharedExperts(Context& ctx, std::unique_ptr<Experts> experts, const std::vector<std::int32_t>& first);
  std::int64_t count() const override { return outputs_; }
  Value forward(ForwardContext& f, const Value& rows, const Tensor& offset) override;
  void visit(const ParameterVisitor& visitor, const std::string& prefix) override;

 private:
  std::unique_ptr<Experts> experts_;
  std::int64_t outputs_;
  Tensor first_;  // (E'+1) i32
};

}  // namespace moe
