// AdamW over all parameters of a model, with clipping by global norm and no host synchronisation.
#pragma once

#include <string>
#include <vector>

#include "common/tensor/parameter.hpp"
#include "kernels/adamw/adamw.hpp"

namespace moe {

class Optimizer {
 public:
  struct Item {
    std::string name;
    Parameter* parameter;  // owned by the model, which must outlive the optimizer
    Tensor m, v;           // first and second moments
  };

  // settings.learning_rate and settings.step are set by step().
  Optimizer(Context& ctx, const AdamWSettings& settings,
            const std::function<void(const ParameterVisitor&)>& visit_all);

  // Update number `step` (from 1). Parameters that no gradient reached keep their value. Clears has_grad.
  void step(std::int64_t step, double learning_rate);

  // Of the last step, before clipping. Reads device memory.
  double gradient_norm() const;

  std::vector<Item>& items() { return items_; }

 private:
  Context& ctx_;
  AdamWSettings settings_;
  std::vector<Item> items_;
  Tensor squared_norm_;  // (1) f64
};

// Linear warm-up over the first `warmup` steps, then a cosine down to `final_fraction` of the peak at `total`.
double warmup_cosine(std::int64_t step, std::int64_t total, std::int64_t warmup, double peak,
                     double final_fraction = 0.1);

}  // namespace moe
