#include "common/moe/routers/cosine.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/unit_rows/unit_rows.hpp"

namespace moe {
namespace {

Value unit(ForwardContext& f, const Value& x) {
  const std::int64_t R = x.tensor.rows(), C = x.tensor.size(-1);
  const Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), {R, C}), r = Tensor::empty(f.ctx, y.dtype(), {R});
  dispatch(y.dtype(),
           [&]<class T>(T) { unit_rows<T>(f.ctx, y.data<T>(), r.data<T>(), x.tensor.data<T>(), R, C); });
  if (!f.tape) return y;
  return f.tape->record({x}, y, [=](Gradients& g) {
    const Tensor dx = Tensor::empty(g.ctx, y.dtype(), {R, C});
    dispatch(y.dtype(), [&]<class T>(T) {
      unit_rows_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), y.data<T>(), r.data<T>(), R, C);
    });
    g.give(0, dx);
  });
}

Value with_temperature(ForwardContext& f, const Value& x, Parameter& t) {
  const std::int64_t n = x.tensor.numel();
  const Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), x.tensor.shape());
  dispatch(y.dtype(),
           [&]<class T>(T) { tempered<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), t.value.data<T>(), n); });
  if (!f.tape) return y;
  return f.tape->record({x, f.tape->leaf(t)}, y, [=, t = t.value](Gradients& g) {
    const Tensor dx = Tensor::empty(g.ctx, y.dtype(), y.shape()), dt = Tensor::empty(g.ctx, y.dtype(), {1});
    dispatch(y.dtype(), [&]<class T>(T) {
      tempered_backward<T>(g.ctx, dx.data<T>(), dt.data<T>(), g.of_output().data<T>(), y.data<T>(),
                           t.data<T>(), n);
    });
    g.give(0, dx);
    g.give(1, dt);
  });
}

// (N, E) = a (N, C) · b^T, b (E, C): a linear map whose matrix is no parameter.
Value product(ForwardContext& f, const Value& a, const Value& b) {
  const std::int64_t N = a.tensor.rows(), E = b.tensor.rows(), C = a.tensor.size(-1);
  const Tensor y = Tensor::empty(f.ctx, a.tensor.dtype(), {N, E});
  dispatch(y.dtype(), [&]<class T>(T) {
    gemm<T>(f.ctx, y.data<T>(), a.tensor.data<T>(), b.tensor.data<T>(),
            gemm_shape(N, E, C, Transpose::no, Transpose::yes));
  });
  if (!f.tape) return y;
  return f.tape->record({a, b}, y, [=, a = a.tensor, b = b.tensor](Gradients& g) {
    const Tensor &dy = g.of_output(), da = Tensor::empty(g.ctx, a.dtype(), a.shape()),
                 db = Tensor::empty(g.ctx, b.dtype(), b.shape());
    dispatch(a.dtype(), [&]<class T>(T) {
      gemm<T>(g.ctx, da.data<T>(), dy.data<T>(), b.data<T>(),
              gemm_shape(N, C, E, Transpose::no, Transpose::no));
      gemm<T>(g.ctx, db.data<T>(), dy.data<T>(), a.data<T>(),
              gemm_shape(E, C, N, Transpose::yes, Transpose::no));
    });
    g.give(0, da);
    g.give(1, db);
  });
}

// A parameter as a value of the pass.
Value value_of(ForwardContext& f, Parameter& p) {
  return f.tape ? f.tape->leaf(p) : Value(p.value);
}

class Cosine final : public Router {
 public:
  Cosine(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        projection_(
            make_parameter(ctx, dtype, {config.score_width, D}, 1 / std::sqrt(static_cast<double>(D)))),
        weight_(make_parameter(ctx, dtype, {config.experts, config.score_width},
                               1)),  // directions: any size will do
        temperature_(make_parameter(ctx, dtype, {1}, 0)) {
    temperature_.initial = std::log(10.0);
  }

  Routing route(ForwardContext& f, const Value& x) override {
    const Value token = unit(f, ops::linear(f, x, projection_));
    const Value expert = with_temperature(f, unit(f, value_of(f, weight_)), temperature_);
    const Value logits = product(f, token, expert);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const ops::TopK top = ops::top_k_gate(f, soft.probability, config_.top_k, config_.renormalise);
    const Tensor count = count_choices(f.ctx, top.expert, config_.experts);
    losses_.push_balance(f, soft.probability, top.expert, count);
    losses_.push_z(f, logits, soft);
    push_choice(f, count, soft.probability.tensor, top.expert, top.weight.tensor);
    return {.expert = top.expert, .weight = top.weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "projection", projection_);
    visitor(prefix + "weight", weight_);
    visitor(prefix + "temperature", temperature_);
  }

 private:
  MoeConfig config_;
  Parameter projection_, weight_, temperature_;
  RouterLosses losses_{config_, weight_};
};

}  // namespace

std::unique_ptr<Router> make_cosine_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D) {
  return std::make_unique<Cosine>(ctx, dtype, config, D);
}

std::vector<RouterParameter> cosine_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"projection", {config.score_width, D}},
          {"weight", {config.experts, config.score_width}},
          {"temperature", {1}}};
}

void resolve_cosine(MoeConfig& config) {
  if (config.score_width == 0) config.score_width = std::max<std::int64_t>(2, config.experts / 2);
}

}  // namespace moe
