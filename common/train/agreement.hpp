// Whether a device computes what another does: the same model trained on the same batches on both.
#pragma once

#include <string>

#include "common/train/trainer.hpp"

namespace moe {

struct Agreement {
  std::int64_t steps = 0;
  double gradient = 0;              // first step: greatest ‖a - b‖ / ‖a‖ of a parameter's gradient
  std::string gradient_of;          // that parameter
  double loss = 0;                  // over all steps: greatest |a - b| / |a|
  std::int64_t decisions = 0;       // assignments of a held-out batch of each domain after the steps
  std::int64_t same_decisions = 0;  // of them: the same expert at the same place
};

// Two trainers of one configuration, seed and corpus, on two devices, neither of which has made a step. Each makes `steps`.
Agreement compare_devices(Trainer& a, Trainer& b, const Corpus& corpus, std::int64_t steps);

// "gradients of the first step within 1.2e-06 (model.norm.weight), loss over 20 steps within 3.1e-07, 100.00 % of 16384 routing
// decisions"
std::string describe(const Agreement& agreement);

}  // namespace moe
