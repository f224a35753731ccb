#include "common/moe/routers/cosine.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"
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
    const Value expert = with_temperature(f, unit(f, f.value_of(weight_)), temperature_);
    const Value logits = ops::linear(f, token, expert);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const ops::TopK top = ops::top_k_gate(f, soft.probability, config_.top_k, config_.renormalise);
    const Tensor count = losses_.push(f, logits, soft, top.expert);
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
