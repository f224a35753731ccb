#include "common/ops/ops.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe::ops {

Value add(ForwardContext& f, const Value& a, const Value& b) {
  MOE_CHECK(a.tensor.shape() == b.tensor.shape(), to_string(a.tensor.shape()), " + ",
            to_string(b.tensor.shape()));
  Tensor y = Tensor::empty(f.ctx, a.tensor.dtype(), a.tensor.shape());
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::add<T>(f.ctx, y.data<T>(), a.tensor.data<T>(), b.tensor.data<T>(), y.numel());
  });
  if (!f.tape) return y;
  return f.tape->record({a, b}, y,
                        [](Gradients& g) {  // both share one tensor; the tape copies before it would write
                          g.give(0, g.of_output());
                          g.give(1, g.of_output());
                        });
}

}  // namespace moe::ops
