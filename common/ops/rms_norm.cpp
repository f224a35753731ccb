#include "kernels/rms_norm/rms_norm.hpp"

#include "common/ops/ops.hpp"

namespace moe::ops {

Value rms_norm(ForwardContext& f, const Value& x, Parameter& w, double epsilon) {
  const std::int64_t N = x.tensor.rows(), D = w.value.numel();
  MOE_CHECK(x.tensor.size(-1) == D, to_string(x.tensor.shape()), " against a norm of width ", D);
  Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), x.tensor.shape());
  Tensor inverse_rms = f.tape ? Tensor::empty(f.ctx, y.dtype(), {N}) : Tensor{};
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::rms_norm<T>(f.ctx, y.data<T>(), f.tape ? inverse_rms.data<T>() : nullptr, x.tensor.data<T>(),
                     w.value.data<T>(), N, D, epsilon);
  });
  if (!f.tape) return y;
  return f.tape->record({x, f.tape->leaf(w)}, y, [=, x = x.tensor, w = w.value](Gradients& g) {
    const Tensor dx = Tensor::empty(g.ctx, x.dtype(), x.shape());
    const auto [dw, add] = g.target(1);
    dispatch(x.dtype(), [&, &dw = dw, add = add]<class T>(T) {
      moe::rms_norm_backward<T>(g.ctx, dx.data<T>(), dw.data<T>(), g.of_output().data<T>(), x.data<T>(),
                                w.data<T>(), inverse_rms.data<T>(), N, D, add);
    });
    g.give(0, dx);
  });
}

}  // namespace moe::ops
