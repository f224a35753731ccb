#include "kernels/embedding/embedding.hpp"

#include "common/ops/ops.hpp"

namespace moe::ops {

Value embedding(ForwardContext& f, const Tensor& id, Parameter& table) {
  const std::int64_t N = id.numel(), V = table.value.size(0), D = table.value.size(1);
  Tensor y = Tensor::empty(f.ctx, table.value.dtype(), {N, D});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::embedding<T>(f.ctx, y.data<T>(), table.value.data<T>(), id.data<std::int32_t>(), N, V, D);
  });
  if (!f.tape) return y;
  return f.tape->record({f.tape->leaf(table)}, y, [=](Gradients& g) {
    const auto [dtable, add] = g.target(0);
    dispatch(dtable.dtype(), [&, &dtable = dtable, add = add]<class T>(T) {
      moe::embedding_backward<T>(g.ctx, dtable.data<T>(), g.of_output().data<T>(), id.data<std::int32_t>(), N,
                                 V, D, add);
    });
  });
}

}  // namespace moe::ops
