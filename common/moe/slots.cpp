#include "common/moe/slots.hpp"

#include "kernels/choice/choice.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe::ops {
namespace {

struct Blocks {
  std::int64_t B, R, C, D;
};

// For each block: out (M, N) = a · b, as `shape` says; strides are elements from block to block.
template <class T>
void each_product(Context& ctx, T* out, const T* a, const T* b, const GemmShape& shape, std::int64_t B) {
  for (std::int64_t i = 0; i < B; ++i)
    moe::gemm<T>(ctx, out + i * shape.M * shape.N, a + i * shape.M * shape.K, b + i * shape.K * shape.N,
                 shape);
}

template <class T>
void mix_backward(Gradients& g, const Tensor& weight, const Tensor& x, const Blocks& s) {
  const T* dy = g.of_output().data<T>();
  const Tensor dweight = Tensor::empty(g.ctx, weight.dtype(), weight.shape()),
               dx = Tensor::empty(g.ctx, x.dtype(), x.shape());
  each_product<T>(g.ctx, dweight.data<T>(), dy, x.data<T>(),
                  gemm_shape(s.R, s.C, s.D, Transpose::no, Transpose::yes), s.B);
  each_product<T>(g.ctx, dx.data<T>(), weight.data<T>(), dy,
                  gemm_shape(s.C, s.D, s.R, Transpose::yes, Transpose::no), s.B);
  g.give(0, dweight);
  g.give(1, dx);
}

Tensor turned(Context& ctx, const Tensor& x, std::int64_t B) {
  const std::int64_t R = x.rows() / B, C = x.width();
  const Tensor y = Tensor::empty(ctx, x.dtype(), {B * C, R});
  dispatch(x.dtype(), [&]<class T>(T) {
    for (std::int64_t b = 0; b < B; ++b)
      moe::transposed<T>(ctx, y.data<T>() + b * R * C, x.data<T>() + b * R * C, R, C);
  });
  return y;
}

}  // namespace

Value mix_rows(ForwardContext& f, const Value& weight, const Value& x, std::int64_t B) {
  const Blocks s{B, weight.tensor.rows() / B, weight.tensor.size(-1), x.tensor.size(-1)};
  MOE_CHECK(x.tensor.rows() == B * s.C && weight.tensor.rows() == B * s.R, to_string(weight.tensor.shape()),
            " times ", to_string(x.tensor.shape()), " in ", B, " blocks");
  const Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), {B * s.R, s.D});
  dispatch(y.dtype(), [&]<class T>(T) {
    each_product<T>(f.ctx, y.data<T>(), weight.tensor.data<T>(), x.tensor.data<T>(),
                    gemm_shape(s.R, s.D, s.C), B);
  });
  if (!f.tape) return y;
  return f.tape->record({weight, x}, y, [s, weight = weight.tensor, x = x.tensor](Gradients& g) {
    dispatch(x.dtype(), [&]<class T>(T) { mix_backward<T>(g, weight, x, s); });
  });
}

Value transposed_blocks(ForwardContext& f, const Value& x, std::int64_t B) {
  const Tensor y = turned(f.ctx, x.tensor, B);
  if (!f.tape) return y;
  return f.tape->record({x}, y, [B](Gradients& g) { g.give(0, turned(g.ctx, g.of_output(), B)); });
}

}  // namespace moe::ops

namespace moe {
namespace {

// rows[to[n]] = x[n] for a permutation.
ops::RowMap permutation(Context& ctx, const std::vector<std::int32_t>& to) {
  return {.row = tensor_of(ctx, to, {static_cast<std::int64_t>(to.size())}),
          .per_token = 1,
          .token_offset = {},
          .element = {}};
}

}  // namespace

SlotOrder::SlotOrder(Context& ctx, std::int64_t sequences, std::int64_t experts, std::int64_t slots)
    : B(sequences), E(experts), M(slots) {
  MOE_CHECK(E > 0 && M % E == 0, M, " slots for ", E, " experts");
  const std::int64_t S = M / E;
  std::vector<std::int32_t> place(static_cast<std::size_t>(B * M)), source(place.size()), begin;
  for (std::int64_t r = 0; r < B * M; ++r) {
    const std::int64_t b = r / M, e = r % M / S, s = r % S, row = (e * B + b) * S + s;
    place[r] = static_cast<std::int32_t>(row);
    source[row] = static_cast<std::int32_t>(r);
  }
  for (std::int64_t e = 0; e <= E; ++e) begin.push_back(static_cast<std::int32_t>(e * B * S));
  by_expert = permutation(ctx, place);
  by_sequence = permutation(ctx, source);
  offset = tensor_of(ctx, begin, {E + 1});
}

}  // namespace moe
