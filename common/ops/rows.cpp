#include "kernels/rows/rows.hpp"

#include "common/ops/ops.hpp"

namespace moe::ops {
namespace {

RowsShape shape_of(const RowMap& map, const Tensor& t) {
  return {map.N(), map.A(), t.size(-1)};
}
TokenRows token_rows(const RowMap& map) {
  return {map.token_offset.data<std::int32_t>(), map.row_of.data<std::int32_t>()};
}

}  // namespace

Value gather_rows(ForwardContext& f, const Value& x, const RowMap& map) {
  const RowsShape s = shape_of(map, x.tensor);
  MOE_CHECK(x.tensor.rows() == s.N, to_string(x.tensor.shape()), " against a plan for ", s.N, " tokens");
  Tensor rows = Tensor::empty(f.ctx, x.tensor.dtype(), {s.A, s.D});
  dispatch(rows.dtype(), [&]<class T>(T) {
    moe::gather_rows<T>(f.ctx, rows.data<T>(), x.tensor.data<T>(), map.token.data<std::int32_t>(), s);
  });
  if (!f.tape) return rows;
  return f.tape->record({x}, rows, [s, map, dtype = rows.dtype()](Gradients& g) {
    Tensor dx = Tensor::empty(g.ctx, dtype, {s.N, s.D});
    dispatch(dx.dtype(), [&]<class T>(T) {
      moe::gather_rows_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), token_rows(map), s);
    });
    g.give(0, dx);
  });
}

Value combine_rows(ForwardContext& f, const Value& rows, const Value& weight, const RowMap& map) {
  const RowsShape s = shape_of(map, rows.tensor);
  Tensor y = Tensor::empty(f.ctx, rows.tensor.dtype(), {s.N, s.D});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::combine_rows<T>(f.ctx, y.data<T>(), rows.tensor.data<T>(), weight.tensor.data<T>(), token_rows(map),
                         s);
  });
  if (!f.tape) return y;
  return f.tape->record({rows, weight}, y, [=, rows = rows.tensor, weight = weight.tensor](Gradients& g) {
    Tensor drows = Tensor::empty(g.ctx, rows.dtype(), rows.shape()),
           dweight = Tensor::empty(g.ctx, rows.dtype(), {s.A});
    dispatch(rows.dtype(), [&]<class T>(T) {
      moe::combine_rows_backward<T>(g.ctx, drows.data<T>(), dweight.data<T>(), g.of_output().data<T>(),
                                    rows.data<T>(), weight.data<T>(), map.token.data<std::int32_t>(), s);
    });
    g.give(0, drows);
    g.give(1, dweight);
  });
}

Value permute_scalars(ForwardContext& f, const Value& x, const Tensor& index, const Tensor& inverse) {
  const Shape before = x.tensor.shape();
  Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), {index.numel()});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::gather_scalars<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), index.data<std::int32_t>(), index.numel());
  });
  if (!f.tape) return y;
  return f.tape->record({x}, y, [before, inverse, dtype = y.dtype()](Gradients& g) {
    Tensor dx = Tensor::empty(g.ctx, dtype, before);
    dispatch(dx.dtype(), [&]<class T>(T) {
      moe::gather_scalars<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), inverse.data<std::int32_t>(),
                             dx.numel());
    });
    g.give(0, dx);
  });
}

}  // namespace moe::ops
