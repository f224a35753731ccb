// A batch on the device, ready for a forward pass.
#pragma once

#include "common/autograd/forward_context.hpp"
#include "common/data/batch.hpp"

namespace moe {

struct BatchTensors {
  TokenInfo tokens;  // tag: the domain of each token
  Tensor target;     // (N) i32
};
BatchTensors to_device(Context& ctx, const Batch& batch);

}  // namespace moe
