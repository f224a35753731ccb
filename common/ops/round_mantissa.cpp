#include "common/ops/ops.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe::ops {

Value round_mantissa(ForwardContext& f, const Value& x, int bits) {
  const Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), x.tensor.shape());
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::round_mantissa<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), bits, y.numel());
  });
  if (!f.tape) return y;
  return f.tape->record({x}, y, [](Gradients& g) { g.give(0, g.of_output()); });
}

}  // namespace moe::ops
