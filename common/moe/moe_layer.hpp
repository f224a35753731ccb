// MoeLayer: route, dispatch, experts, combine (Shazeer 2017, arXiv:1701.06538).
//
//   x (N, D) → router → assignments → plan → gather rows (A, D) → experts → weighted scatter → y (N, D)
//   x (N, D) → soft router → mixtures of tokens in slots → experts → mixtures of slots → y (N, D)
#pragma once

#include <memory>

#include "common/moe/experts.hpp"
#include "common/moe/routers/router.hpp"
#include "common/moe/slots.hpp"

namespace moe {

class MoeLayer {
 public:
  MoeLayer(std::unique_ptr<Router> router, std::unique_ptr<Experts> experts)
      : router_(std::move(router)), experts_(std::move(experts)) {}

  // Local experts of hidden width F behind the router that the config names.
  MoeLayer(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D, std::int64_t F,
           double residual_scale = 1);

  // x (N, D) → (N, D). Pushes to f.metrics "load" (E+1) i32: the plan's offsets, what each expert really got. If the metrics
  // are detailed also "input" and "output" (N, D) and, unless the plan is dense, "list_row" and "list_weight" (A) in the order of the
  // router's list and "row_output" (A, D) in expert order.
  Value forward(ForwardContext& f, const Value& x);
  void visit(const ParameterVisitor& visitor, const std::string& prefix = "");

  // As many as the router knows (common/convert).
  void replace_experts(std::unique_ptr<Experts> experts) { experts_ = std::move(experts); }

 private:
  Value by_assignments(ForwardContext& f, const Value& x, const Routing& routing);
  Value by_slots(ForwardContext& f, const Value& x, const DensePlan& plan);

  std::unique_ptr<Router> router_;
  std::unique_ptr<Experts> experts_;
  SlotOrder slots_;  // of the last dense plan: kept, so that training uploads nothing but the batch
};

// Fills every visited parameter from (seed, its place in the order of visits).
void initialise(Context& ctx, std::uint64_t seed,
                const std::function<void(const ParameterVisitor&)>& visit_all);

}  // namespace moe
