#include "common/ops/ops.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/rms_norm/rms_norm.hpp"

namespace moe::ops {
namespace {

// The columns of one packed row that a weight belongs to.
struct Part {
  std::int64_t first, width;
};

template <class T>
void normalise(Context& ctx, const Tensor& y, const Tensor& inverse_rms, const Tensor& x, const Tensor& w,
               Part part, double epsilon) {
  moe::rms_norm<T>(ctx, y.data<T>() + part.first, inverse_rms.defined() ? inverse_rms.data<T>() : nullptr,
                   x.data<T>() + part.first, w.data<T>(), x.rows(), part.width, x.width(), epsilon);
}

template <class T>
void backward(Gradients& g, std::size_t input, const Tensor& dx, const Tensor& x, const Tensor& w,
              const Tensor& inverse_rms, Part part) {
  const auto [dw, add] = g.target(input);
  const T* dy = g.of_output().data<T>() + part.first;
  moe::rms_norm_backward<T>(g.ctx, dx.data<T>() + part.first, dw.data<T>(), dy, x.data<T>() + part.first,
                            w.data<T>(), inverse_rms.data<T>(), x.rows(), part.width, x.width(), add);
}

Tensor copy_of(Context& ctx, const Tensor& x) {
  const Tensor y = Tensor::empty(ctx, x.dtype(), x.shape());
  copy_on_device(ctx, y.raw(), x.raw(), x.bytes());
  return y;
}

}  // namespace

Value qk_norm(ForwardContext& f, const Value& qkv, Parameter& q, Parameter& k, double epsilon) {
  const Tensor& x = qkv.tensor;
  const Part queries{0, q.value.numel()}, keys{q.value.numel(), k.value.numel()};
  MOE_CHECK(x.width() >= queries.width + 2 * keys.width, to_string(x.shape()), " against norms of width ",
            queries.width, " and ", keys.width);
  const Tensor y = f.tape ? copy_of(f.ctx, x) : x;  // values pass as they are
  const auto kept = [&] { return f.tape ? Tensor::empty(f.ctx, x.dtype(), {x.rows()}) : Tensor{}; };
  const Tensor q_inverse = kept(), k_inverse = kept();
  dispatch(x.dtype(), [&]<class T>(T) {
    normalise<T>(f.ctx, y, q_inverse, x, q.value, queries, epsilon);
    normalise<T>(f.ctx, y, k_inverse, x, k.value, keys, epsilon);
  });
  if (!f.tape) return y;
  return f.tape->record({qkv, f.tape->leaf(q), f.tape->leaf(k)}, y,
                        [=, wq = q.value, wk = k.value, x = qkv.tensor](Gradients& g) {
                          const Tensor dx = copy_of(g.ctx, g.of_output());
                          dispatch(x.dtype(), [&]<class T>(T) {
                            backward<T>(g, 1, dx, x, wq, q_inverse, queries);
                            backward<T>(g, 2, dx, x, wk, k_inverse, keys);
                          });
                          g.give(0, dx);
                        });
}

}  // namespace moe::ops
