#include "kernels/rows/rows.hpp"

#include "common/ops/ops.hpp"
#include "kernels/dispatch/dispatch.hpp"

namespace moe::ops {
namespace {

RowsShape shape_of(const RowMap& map, const Tensor& t) {
  return {map.N(), map.A(), t.size(-1)};
}
TokenRows token_rows(const RowMap& map) {
  const auto at = [](const Tensor& t) { return t.defined() ? t.data<std::int32_t>() : nullptr; };
  return {at(map.row), map.per_token, at(map.token_offset), at(map.element)};
}

// The node of rows that came from x by `map`.
Value record_gather(ForwardContext& f, const Value& x, const Tensor& rows, const RowMap& map) {
  if (!f.tape) return rows;
  return f.tape->record({x}, rows, [s = shape_of(map, rows), map, dtype = rows.dtype()](Gradients& g) {
    Tensor dx = Tensor::empty(g.ctx, dtype, {s.N, s.D});
    dispatch(dx.dtype(), [&]<class T>(T) {
      moe::gather_rows_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), token_rows(map), s);
    });
    g.give(0, dx);
  });
}

}  // namespace

Value gather_rows(ForwardContext& f, const Value& x, const RowMap& map) {
  const RowsShape s = shape_of(map, x.tensor);
  MOE_CHECK(x.tensor.rows() == s.N, to_string(x.tensor.shape()), " against a plan for ", s.N, " tokens");
  Tensor rows = Tensor::empty(f.ctx, x.tensor.dtype(), {s.A, s.D});
  dispatch(rows.dtype(), [&]<class T>(T) {
    moe::gather_rows<T>(f.ctx, rows.data<T>(), x.tensor.data<T>(), token_rows(map), s);
  });
  return record_gather(f, x, rows, map);
}

Dispatched dispatch_rows(ForwardContext& f, const Value& x, const Tensor& expert, std::int64_t E) {
  const std::int64_t N = x.tensor.rows(), A = expert.numel();
  MOE_CHECK(N > 0 ? A % N == 0 : A == 0, A, " choices of ", N, " tokens");
  const DispatchShape s{N, N > 0 ? A / N : 1, x.tensor.size(-1), E};
  const Tensor rows = Tensor::empty(f.ctx, x.tensor.dtype(), {A, s.D}),
               row = Tensor::empty(f.ctx, DType::i32, {A}),
               offset = Tensor::empty(f.ctx, DType::i32, {E + 1});
  dispatch(rows.dtype(), [&]<class T>(T) {
    moe::dispatch_rows<T>(f.ctx, rows.data<T>(), offset.data<std::int32_t>(), row.data<std::int32_t>(),
                          x.tensor.data<T>(), expert.data<std::int32_t>(), s);
  });
  const RowMap map{.row = row, .per_token = s.K, .token_offset = {}, .element = {}};
  return {record_gather(f, x, rows, map), map, offset};
}

Value combine_rows(ForwardContext& f, const Value& rows, const Value& weight, const RowMap& map) {
  const RowsShape s = shape_of(map, rows.tensor);
  MOE_CHECK(weight.tensor.numel() == s.A, to_string(weight.tensor.shape()), " weights for ", s.A,
            " assignments");
  Tensor y = Tensor::empty(f.ctx, rows.tensor.dtype(), {s.N, s.D});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::combine_rows<T>(f.ctx, y.data<T>(), rows.tensor.data<T>(), weight.tensor.data<T>(), token_rows(map),
                         s);
  });
  if (!f.tape) return y;
  return f.tape->record({rows, weight}, y, [=, rows = rows.tensor, weight = weight.tensor](Gradients& g) {
    Tensor drows = Tensor::empty(g.ctx, rows.dtype(), rows.shape()),
           dweight = Tensor::empty(g.ctx, rows.dtype(), weight.shape());
    dispatch(rows.dtype(), [&]<class T>(T) {
      moe::combine_rows_backward<T>(g.ctx, drows.data<T>(), dweight.data<T>(), g.of_output().data<T>(),
                                    rows.data<T>(), weight.data<T>(), token_rows(map), s);
    });
    g.give(0, drows);
    g.give(1, dweight);
  });
}

}  // namespace moe::ops
