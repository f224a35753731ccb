#include "sessions/01_overview/mixture/mixture.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/moe_layer.hpp"
#include "common/train/optimizer.hpp"

namespace moe::session1 {
namespace {

double squared(double x) {
  return x * x;
}

// Gradients of one point's loss by p and o, and the loss. `e`: y - o_i.
struct PointLoss {
  double loss, dp[2], d_o[2];
};
PointLoss cooperative(const double* p, const double* o, double y, double variance) {
  const double miss = y - p[0] * o[0] - p[1] * o[1];
  PointLoss r{squared(miss) / (2 * variance), {}, {}};
  for (int i = 0; i < 2; ++i) {
    r.dp[i] = -miss * o[i] / variance;
    r.d_o[i] = -miss * p[i] / variance;  // both experts move to mend one and the same miss
  }
  return r;
}
PointLoss competitive(const double* p, const double* o, double y, double variance) {
  const double log_likelihood[2] = {-squared(y - o[0]) / (2 * variance), -squared(y - o[1]) / (2 * variance)};
  const double most = std::max(log_likelihood[0], log_likelihood[1]);  // so that no sum of exponentials is 0
  const double e[2] = {std::exp(log_likelihood[0] - most), std::exp(log_likelihood[1] - most)};
  const double sum = p[0] * e[0] + p[1] * e[1];
  PointLoss r{-most - std::log(sum), {}, {}};
  for (int i = 0; i < 2; ++i) {
    const double responsible = p[i] * e[i] / sum;  // the posterior: whose point is this?
    r.dp[i] = -e[i] / sum;
    r.d_o[i] = -responsible * (y - o[i]) / variance;  // an expert learns from its own miss, on its own points
  }
  return r;
}

struct Mixture {
  Parameter expert, gate;  // (2, 2): a row an expert; slope and offset
  explicit Mixture(Context& ctx)
      : expert(make_parameter(ctx, DType::f64, {2, 2}, 0.3)),
        gate(make_parameter(ctx, DType::f64, {2, 2}, 0.3)) {}
  void visit(const ParameterVisitor& visitor) {
    visitor("expert", expert);
    visitor("gate", gate);
  }
};

// Mean over points of KL(p(x) ‖ mean p).
double information(const std::vector<double>& p) {
  double mean = 0, sum = 0;
  for (const double g : p) mean += g / static_cast<double>(p.size());
  const auto term = [](double a, double b) { return a > 0 ? a * std::log(a / b) : 0; };
  for (const double g : p) sum += term(g, mean) + term(1 - g, 1 - mean);
  return sum / static_cast<double>(p.size());
}

MixtureState state_of(std::int64_t step, const Tensor& p, const Tensor& o, const std::vector<double>& y) {
  MixtureState s{.step = step};
  const auto gate = values_of<double>(p), output = values_of<double>(o);
  const auto n = static_cast<double>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double* g = &gate[2 * i];
    const double* out = &output[2 * i];
    s.gate.push_back(g[0]);
    for (int e = 0; e < 2; ++e) s.output[e].push_back(out[e]);
    s.blend_error += squared(y[i] - g[0] * out[0] - g[1] * out[1]) / n;
    s.chosen_error += squared(y[i] - out[g[1] > g[0]]) / n;
  }
  s.blend_error = std::sqrt(s.blend_error);
  s.chosen_error = std::sqrt(s.chosen_error);
  s.information = information(s.gate);
  return s;
}

}  // namespace

Value mixture_loss(ForwardContext& f, const Value& p, const Value& o, const Tensor& y, MixtureLoss kind,
                   double sigma) {
  const auto point_loss = kind == MixtureLoss::cooperative ? cooperative : competitive;
  const std::int64_t N = y.numel();
  const Tensor dp = Tensor::empty(f.ctx, DType::f64, {N, 2}), d_o = Tensor::empty(f.ctx, DType::f64, {N, 2});
  double mean = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    const PointLoss r = point_loss(p.tensor.data<double>() + 2 * n, o.tensor.data<double>() + 2 * n,
                                   y.data<double>()[n], sigma * sigma);
    mean += r.loss / static_cast<double>(N);
    for (int i = 0; i < 2; ++i) {
      dp.data<double>()[2 * n + i] = r.dp[i] / static_cast<double>(N);
      d_o.data<double>()[2 * n + i] = r.d_o[i] / static_cast<double>(N);
    }
  }
  const Tensor loss = tensor_of<double>(f.ctx, {mean}, {1});
  if (!f.tape) return loss;
  return f.tape->record({p, o}, loss, [=](Gradients& g) {
    const double scale = scalar_of(g.of_output());
    for (std::size_t input = 0; input < 2; ++input) {
      const Tensor& d = input == 0 ? dp : d_o;
      for (std::int64_t i = 0; i < d.numel(); ++i) d.data<double>()[i] *= scale;
      g.give(input, d);
    }
  });
}

Curve2d parabola(std::int64_t points, double noise, std::uint64_t seed) {
  Curve2d c;
  for (std::int64_t i = 0; i < points; ++i) {
    const double x = -1 + 2 * (static_cast<double>(i) + 0.5) / static_cast<double>(points);
    c.x.push_back(x);
    c.y.push_back(1 - 2 * x * x +
                  noise * normal({.seed = seed, .purpose = Purpose::sample}, static_cast<std::uint64_t>(i)));
  }
  return c;
}

std::vector<MixtureState> train_mixture(const Curve2d& data, const MixtureSettings& s) {
  Context ctx(1);
  Mixture mixture(ctx);
  const auto visit_all = [&](const ParameterVisitor& v) { mixture.visit(v); };
  initialise(ctx, s.seed, visit_all);
  Optimizer optimizer(ctx, {.learning_rate = 0}, visit_all);
  std::vector<double> inputs;
  for (const double x : data.x) inputs.insert(inputs.end(), {x, 1});
  const auto N = static_cast<std::int64_t>(data.x.size());
  const Tensor x = tensor_of<double>(ctx, inputs, {N, 2}), y = tensor_of<double>(ctx, data.y, {N});

  std::vector<MixtureState> states;
  for (std::int64_t step = 0;; ++step) {
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape};
    const Value o = ops::linear(f, x, mixture.expert);
    const Value p = ops::softmax(f, ops::linear(f, x, mixture.gate)).probability;
    if (step * s.states / s.steps != (step - 1) * s.states / s.steps || step == 0)
      states.push_back(state_of(step, p.tensor, o.tensor, data.y));
    if (step == s.steps) return states;
    const Tape::Root root{mixture_loss(f, p, o, y, s.loss, s.sigma)};
    tape.backward({&root, 1});
    optimizer.step(step + 1, s.learning_rate);
  }
}

}  // namespace moe::session1
