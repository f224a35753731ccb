// Softmax and top-k of router scores.
#include "common/ops/ops.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::ops {

SoftmaxResult softmax(ForwardContext& f, const Value& scores) {
  const std::int64_t N = scores.tensor.rows(), E = scores.tensor.size(-1);
  Tensor p = Tensor::empty(f.ctx, scores.tensor.dtype(), {N, E});
  Tensor logsumexp = Tensor::empty(f.ctx, p.dtype(), {N});
  dispatch(p.dtype(), [&]<class T>(T) {
    moe::softmax<T>(f.ctx, p.data<T>(), logsumexp.data<T>(), scores.tensor.data<T>(), N, E);
  });
  if (!f.tape) return {p, logsumexp};
  return {f.tape->record({scores}, p,
                         [=](Gradients& g) {
                           const auto [dscores, add] = g.target(0);
                           dispatch(p.dtype(), [&, &dscores = dscores, add = add]<class T>(T) {
                             moe::softmax_backward<T>(g.ctx, dscores.data<T>(), g.of_output().data<T>(),
                                                      p.data<T>(), N, E, add);
                           });
                         }),
          logsumexp};
}

TopK top_k_gate(ForwardContext& f, const Value& score, std::int64_t K, bool renormalise) {
  const TopKShape s{score.tensor.rows(), score.tensor.size(-1), K, renormalise};
  Tensor expert = Tensor::empty(f.ctx, DType::i32, {s.N, K});
  Tensor weight = Tensor::empty(f.ctx, score.tensor.dtype(), {s.N, K});
  dispatch(weight.dtype(), [&]<class T>(T) {
    moe::top_k_gate<T>(f.ctx, expert.data<std::int32_t>(), weight.data<T>(), score.tensor.data<T>(), s);
  });
  if (!f.tape) return {expert, weight};
  return {expert, f.tape->record({score}, weight, [=, score = score.tensor](Gradients& g) {
            Tensor dscore = Tensor::empty(g.ctx, score.dtype(), score.shape());
            dispatch(score.dtype(), [&]<class T>(T) {
              moe::weigh_choice_backward<T>(g.ctx, dscore.data<T>(), g.of_output().data<T>(), score.data<T>(),
                                            expert.data<std::int32_t>(), {s.N, s.E, s.K, s.renormalise});
            });
            g.give(0, dscore);
          })};
}

}  // namespace moe::ops
