#include "kernels/grouped_ffn/grouped_ffn.hpp"

#include "common/ops/ops.hpp"

namespace moe::ops {
namespace {

FfnShape shape_of(const Tensor& rows, const Tensor& down) {
  return {rows.rows(), down.size(0), down.size(1), down.size(2)};
}

template <class T>
void backward(Gradients& g, const Tensor& x, const Tensor& hidden, const Tensor& gate_up, const Tensor& down,
              const Tensor& offset) {
  const Tensor dx = Tensor::empty(g.ctx, x.dtype(), x.shape());
  const auto [dgate_up, add] = g.target(1);
  const auto [ddown, add_too] = g.target(2);
  MOE_CHECK(add == add_too, "an expert's matrices are used together");
  moe::grouped_ffn_backward<T>(
      g.ctx, {dx.data<T>(), dgate_up.data<T>(), ddown.data<T>(), add}, g.of_output().data<T>(), x.data<T>(),
      hidden.data<T>(), {gate_up.data<T>(), down.data<T>()}, offset.data<std::int32_t>(), shape_of(x, down));
  g.give(0, dx);
}

}  // namespace

Value grouped_ffn(ForwardContext& f, const Value& rows, Parameter& gate_up, Parameter& down,
                  const Tensor& offset) {
  const Tensor& x = rows.tensor;
  const FfnShape s = shape_of(x, down.value);
  MOE_CHECK(x.size(-1) == s.D && gate_up.value.shape() == Shape({s.E, 2 * s.F, s.D}), to_string(x.shape()),
            " through ", to_string(gate_up.value.shape()), " and ", to_string(down.value.shape()));
  MOE_CHECK(offset.numel() == s.E + 1, offset.numel(), " offsets for ", s.E, " experts");
  Tensor y = Tensor::empty(f.ctx, x.dtype(), x.shape());
  Tensor hidden = f.tape ? Tensor::empty(f.ctx, x.dtype(), {s.A, 2 * s.F}) : Tensor{};
  dispatch(x.dtype(), [&]<class T>(T) {
    moe::grouped_ffn<T>(f.ctx, y.data<T>(), f.tape ? hidden.data<T>() : nullptr, x.data<T>(),
                        {gate_up.value.data<T>(), down.value.data<T>()}, offset.data<std::int32_t>(), s);
  });
  if (!f.tape) return y;
  return f.tape->record({rows, f.tape->leaf(gate_up), f.tape->leaf(down)}, y,
                        [=, gate_up = gate_up.value, down = down.value](Gradients& g) {
                          dispatch(x.dtype(),
                                   [&]<class T>(T) { backward<T>(g, x, hidden, gate_up, down, offset); });
                        });
}

}  // namespace moe::ops
