// Soft MoE through the whole layer, against loops over sequences, slots and tokens.
#include "common/moe/routers/soft_moe.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/moe/router_case.hpp"
#include "tests/support/devices.hpp"

namespace moe::testing {
namespace {

struct Shapes {
  std::int64_t B, T, E, S;
  std::int64_t D = 4, F = 3;
};

MoeConfig soft_config(const Shapes& s) {
  MoeConfig c = moe_config({0, s.D, s.F, s.E, 1});
  c.router = "soft_moe";
  c.slots = s.S;
  return c;
}

// A layer on any device, with random parameters, and a forward pass over B sequences.
template <class T>
struct SoftLayer {
  Context& ctx;
  Shapes s;
  MoeLayer layer;
  std::map<std::string, Parameter*> parameter;

  SoftLayer(Context& context, const Shapes& shapes)
      : ctx(context), s(shapes), layer(ctx, dtype_of<T>, soft_config(s), s.D, s.F) {
    std::uint64_t seed = 1;
    layer.visit([&](const std::string& name, Parameter& p) {
      p.value = tensor_of<T>(ctx, random_normal<T>(p.value.numel(), seed++), p.value.shape());
      p.grad = tensor_of<T>(ctx, std::vector<T>(static_cast<std::size_t>(p.value.numel()), T(NAN)),
                            p.value.shape());
      parameter[name] = &p;
    });
  }
  TokenInfo tokens() const {
    return {.sequences = s.B, .length = s.T, .id = {}, .position = {}, .sequence = {}, .tag = {}};
  }
  std::vector<T> forward(const std::vector<T>& x, MetricSink* metrics = nullptr) {
    const TokenInfo info = tokens();
    ForwardContext f{.ctx = ctx, .tokens = &info, .metrics = metrics};
    return values_of<T>(layer.forward(f, tensor_of<T>(ctx, x, {s.B * s.T, s.D})).tensor);
  }
  std::vector<T> values(const std::string& name) { return values_of<T>(parameter.at(name)->value); }
};

std::vector<double> softmax_of(std::vector<double> x) {
  double sum = 0;
  for (double& v : x) sum += v = std::exp(v);
  for (double& v : x) v /= sum;
  return x;
}

// One expert on one row.
std::vector<double> swiglu(const double* row, const double* gate_up, const double* down, const Shapes& s) {
  std::vector<double> y(static_cast<std::size_t>(s.D));
  for (std::int64_t j = 0; j < s.F; ++j) {
    double h = 0, u = 0;
    for (std::int64_t d = 0; d < s.D; ++d)
      h += gate_up[j * s.D + d] * row[d], u += gate_up[(s.F + j) * s.D + d] * row[d];
    for (std::int64_t d = 0; d < s.D; ++d) y[d] += down[d * s.F + j] * h / (1 + std::exp(-h)) * u;
  }
  return y;
}

// One sequence x (T, D).
std::vector<double> oracle(SoftLayer<double>& l, const double* x) {
  const Shapes& s = l.s;
  const std::int64_t M = s.E * s.S;
  const auto phi = l.values("gate.phi"), gate_up = l.values("experts.gate_up.weight"),
             down = l.values("experts.down.weight");
  const auto logit = [&](std::int64_t t, std::int64_t m) {
    double sum = 0;
    for (std::int64_t d = 0; d < s.D; ++d) sum += x[t * s.D + d] * phi[m * s.D + d];
    return sum;
  };
  std::vector<std::vector<double>> out;
  for (std::int64_t m = 0; m < M; ++m) {
    std::vector<double> column, slot(static_cast<std::size_t>(s.D));
    for (std::int64_t t = 0; t < s.T; ++t) column.push_back(logit(t, m));
    column = softmax_of(column);
    for (std::int64_t t = 0; t < s.T; ++t)
      for (std::int64_t d = 0; d < s.D; ++d) slot[d] += column[t] * x[t * s.D + d];
    const std::int64_t e = m / s.S;
    out.push_back(swiglu(slot.data(), &gate_up[e * 2 * s.F * s.D], &down[e * s.D * s.F], s));
  }
  std::vector<double> y(static_cast<std::size_t>(s.T * s.D));
  for (std::int64_t t = 0; t < s.T; ++t) {
    std::vector<double> row;
    for (std::int64_t m = 0; m < M; ++m) row.push_back(logit(t, m));
    row = softmax_of(row);
    for (std::int64_t m = 0; m < M; ++m)
      for (std::int64_t d = 0; d < s.D; ++d) y[t * s.D + d] += row[m] * out[m][d];
  }
  return y;
}

TEST(SoftMoe, MatchesTheDefinition) {
  Context ctx(2);
  for (const Shapes& s :
       {Shapes{1, 1, 1, 1}, {1, 33, 4, 1}, {3, 7, 4, 3}, {2, 129, 5, 2}, {5, 1, 2, 2}, {1, 2, 31, 1}}) {
    SCOPED_TRACE(concat(s.B, " sequences of ", s.T, ", ", s.E, " experts by ", s.S));
    SoftLayer<double> layer(ctx, s);
    const auto x = random_normal<double>(s.B * s.T * s.D, 9);
    std::vector<double> expected;
    for (std::int64_t b = 0; b < s.B; ++b) {
      const auto y = oracle(layer, x.data() + b * s.T * s.D);
      expected.insert(expected.end(), y.begin(), y.end());
    }
    EXPECT_TRUE(close(layer.forward(x), expected, {1e-12, 1e-11}));
  }
}

TEST(SoftMoe, GradientsAgreeWithFiniteDifferences) {
  Context ctx(2);
  for (const Shapes& s : {Shapes{1, 9, 3, 1}, {2, 5, 3, 2}}) {
    SoftLayer<double> layer(ctx, s);
    const TokenInfo info = layer.tokens();
    const auto scalar = [&](ForwardContext& f, const std::vector<Value>& in) {
      ForwardContext g{.ctx = f.ctx, .tape = f.tape, .tokens = &info};
      return project(g, layer.layer.forward(g, in[0]));
    };
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {s.B * s.T, s.D}, 8)},
                  {layer.parameter["gate.phi"], layer.parameter["experts.gate_up.weight"],
                   layer.parameter["experts.down.weight"]},
                  scalar);
    EXPECT_LT(check.worst, 1e-5) << check.where;
  }
}

// The future of its own sequence moves a token; nothing of another sequence does, not even NaN.
TEST(SoftMoe, ATokenSeesItsWholeSequenceAndNoOther) {
  Context ctx(2);
  const Shapes s{2, 6, 4, 2};
  SoftLayer<double> layer(ctx, s);
  auto x = random_normal<double>(s.B * s.T * s.D, 7);
  const auto before = layer.forward(x);
  x[11 * s.D] += 1;  // the last token of all
  const auto moved = layer.forward(x);
  for (std::int64_t i = 0; i < 6 * s.D; ++i) EXPECT_EQ(moved[i], before[i]);
  for (std::int64_t i = 6 * s.D; i < 12 * s.D; ++i) EXPECT_GT(std::abs(moved[i] - before[i]), 1e-6);
  x[11 * s.D] = NAN;
  const auto spoiled = layer.forward(x);
  for (std::int64_t i = 0; i < 6 * s.D; ++i) EXPECT_EQ(spoiled[i], before[i]);
  for (std::int64_t i = 6 * s.D; i < 12 * s.D; ++i) EXPECT_TRUE(std::isnan(spoiled[i]));
}

TEST(SoftMoe, MetricsAddUp) {
  Context ctx(2);
  const Shapes s{3, 5, 4, 2};
  SoftLayer<double> layer(ctx, s);
  MetricSink sink;
  layer.forward(random_normal<double>(s.B * s.T * s.D, 7), &sink);
  EXPECT_EQ(values_of<std::int32_t>(metric(sink, "choice")), (std::vector<std::int32_t>(4, 6)));
  EXPECT_EQ(load_of(sink), (std::vector<std::int32_t>(4, 6)));
  const auto weight = values_of<double>(metric(sink, "weight"));
  const auto expert = values_of<std::int32_t>(metric(sink, "expert"));
  const TokenInfo info = layer.tokens();
  ForwardContext f{.ctx = ctx, .tokens = &info};
  const auto router = make_router(ctx, DType::f64, soft_config(s), s.D);
  router->visit([&](const std::string&, Parameter& p) { p.value = layer.parameter.at("gate.phi")->value; },
                "");
  const auto x = tensor_of<double>(ctx, random_normal<double>(s.B * s.T * s.D, 7), {15, s.D});
  const auto combine = values_of<double>(router->route(f, x).weight.tensor);  // (N, M): two slots an expert
  for (std::size_t i = 0; i < weight.size(); ++i)
    EXPECT_NEAR(weight[i], combine[2 * i] + combine[2 * i + 1], 1e-14) << i;
  for (std::size_t n = 0; n < 15; ++n) {
    double sum = 0;
    for (std::size_t e = 0; e < 4; ++e) {
      EXPECT_EQ(expert[n * 4 + e], static_cast<std::int32_t>(e));
      sum += weight[n * 4 + e];
    }
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

TEST(SoftMoe, NoTokensAreNoTrouble) {
  Context ctx(2);
  for (const std::int64_t B : {0, 1, 3}) {
    SoftLayer<double> layer(ctx, {B, 0, 4, 2});
    EXPECT_TRUE(layer.forward({}).empty());
  }
}

TEST(SoftMoe, SequencesOfDifferentLengthsAreRefused) {
  Context ctx(2);
  SoftLayer<double> layer(ctx, {2, 3, 4, 2});
  const TokenInfo info = layer.tokens();
  ForwardContext f{.ctx = ctx, .tokens = &info};
  EXPECT_THROW(layer.layer.forward(f, normal_tensor(ctx, {7, 4}, 1)), Error);
}

TEST(SoftMoe, EveryDeviceComputesAlike) {
  Context here(2);
  for (const Shapes& s : {Shapes{1, 33, 4, 1}, {3, 7, 4, 3}}) {
    const auto x = random_normal<float>(s.B * s.T * s.D, 9);
    const auto pass = [&](Context& ctx) {
      SoftLayer<float> layer(ctx, s);
      const TokenInfo info = layer.tokens();
      Tape tape(ctx);
      ForwardContext f{.ctx = ctx, .tape = &tape, .training = true, .tokens = &info};
      const Value in = tape.watch(tensor_of<float>(ctx, x, {s.B * s.T, s.D})),
                  out = layer.layer.forward(f, in);
      const Tape::Root root{.value = out, .gradient = tensor_of<float>(ctx, x, {s.B * s.T, s.D})};
      tape.backward({&root, 1});
      std::vector<float> all = values_of<float>(out.tensor);
      for (const Tensor& t : {tape.gradient_of(in), layer.parameter["gate.phi"]->grad}) {
        const auto v = values_of<float>(t);
        all.insert(all.end(), v.begin(), v.end());
      }
      return all;
    };
    const auto expected = pass(here);
    each_device([&](Context& ctx) { EXPECT_TRUE(close(pass(ctx), expected, {1e-4, 1e-4})); });
  }
}

}  // namespace
}  // namespace moe::testing
