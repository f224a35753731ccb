#include "common/ops/ops.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe::ops {
namespace {

template <class T>
void backward(Gradients& g, const Tensor& x, const Tensor& w) {
  const std::int64_t N = x.rows(), I = w.size(1), O = w.size(0);
  const T* dy = g.of_output().data<T>();
  if (g.wanted(0)) {
    const auto [dx, add] = g.target(0);
    moe::gemm<T>(g.ctx, dx.data<T>(), dy, w.data<T>(),
                 gemm_shape(N, I, O, Transpose::no, Transpose::no, add));
  }
  if (!g.wanted(1)) return;
  const auto [dw, add] = g.target(1);
  moe::gemm<T>(g.ctx, dw.data<T>(), dy, x.data<T>(), gemm_shape(O, I, N, Transpose::yes, Transpose::no, add));
}

}  // namespace

Value linear(ForwardContext& f, const Value& x, const Value& w) {
  const std::int64_t N = x.tensor.rows(), I = w.tensor.size(1), O = w.tensor.size(0);
  MOE_CHECK(x.tensor.size(-1) == I, to_string(x.tensor.shape()), " times ", to_string(w.tensor.shape()),
            "^T");
  Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), {N, O});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::gemm<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), w.tensor.data<T>(),
                 gemm_shape(N, O, I, Transpose::no, Transpose::yes));
  });
  if (!f.tape) return y;
  return f.tape->record({x, w}, y, [x = x.tensor, w = w.tensor](Gradients& g) {
    dispatch(x.dtype(), [&]<class T>(T) { backward<T>(g, x, w); });
  });
}

Value linear(ForwardContext& f, const Value& x, Parameter& w) {
  return linear(f, x, f.value_of(w));
}

}  // namespace moe::ops
