#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/rows/rows.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::grade {
namespace {

using Numbers = std::vector<double>;

struct Size {
  std::int64_t N, D, O, E, K;
};

struct Layer {
  Size size;
  Numbers x, w_router, w_expert, dy;
  std::vector<std::int32_t> expert{};
  Numbers gate{};
};

Numbers logits_of(Context& ctx, const Layer& m) {
  Numbers logit(m.size.N * m.size.E);
  gemm<double>(ctx, logit.data(), m.x.data(), m.w_router.data(),
               gemm_shape(m.size.N, m.size.E, m.size.D, Transpose::no, Transpose::yes));
  return logit;
}

void choose(Context& ctx, Layer& m) {
  const Size& s = m.size;
  Numbers score(s.N * s.K);
  m.expert.resize(s.N * s.K);
  top_k_gate<double>(ctx, m.expert.data(), score.data(), logits_of(ctx, m).data(), {s.N, s.E, s.K, false});
}

// The softmax over the chosen logits; the choice itself stays as it is, so that all of this is smooth.
Numbers gates_of(Context& ctx, const Layer& m) {
  const Size& s = m.size;
  const Numbers logit = logits_of(ctx, m);
  Numbers chosen(s.N * s.K), gate(s.N * s.K);
  for (std::int64_t a = 0; a < s.N * s.K; ++a) chosen[a] = logit[a / s.K * s.E + m.expert[a]];
  softmax<double>(ctx, gate.data(), nullptr, chosen.data(), s.N, s.K);
  return gate;
}

// dy . y of the library's forward pass: plan, gather, one product an expert, combine.
double loss_of(Context& ctx, const Layer& m) {
  const auto& [N, D, O, E, K] = m.size;
  const std::int64_t A = N * K;
  const Numbers gate = gates_of(ctx, m);
  std::vector<std::int32_t> offset(E + 1), row(A);
  sort_by_key(ctx, offset.data(), nullptr, row.data(), m.expert.data(), A, E);
  Numbers in(A * D), out(A * O), y(N * O);
  gather_rows<double>(ctx, in.data(), m.x.data(), {row.data(), K}, {N, A, D});
  for (std::int64_t e = 0; e < E; ++e)
    if (const std::int64_t n = offset[e + 1] - offset[e]; n > 0)
      gemm<double>(ctx, out.data() + offset[e] * O, in.data() + offset[e] * D, m.w_expert.data() + e * O * D,
                   gemm_shape(n, O, D, Transpose::no, Transpose::yes));
  combine_rows<double>(ctx, y.data(), out.data(), gate.data(), {row.data(), K}, {N, A, O});
  double loss = 0;
  for (std::int64_t i = 0; i < N * O; ++i) loss += m.dy[i] * y[i];
  return loss;
}

// What the loss does when one number of `of` is moved: central differences.
Numbers differences(Layer m, Numbers Layer::*of) {
  constexpr double kStep = 1e-5;
  Context ctx(1);
  Numbers gradient;
  for (double& number : m.*of) {
    const double before = number;
    number = before + kStep;
    const double above = loss_of(ctx, m);
    number = before - kStep;
    gradient.push_back((above - loss_of(ctx, m)) / (2 * kStep));
    number = before;
  }
  return gradient;
}

struct Gradients {
  Numbers dx, dw_router, dw_expert;
};

Gradients answered(Check& check, const Layer& m) {
  const auto& [N, D, O, E, K] = m.size;
  Gradients g;
  check.call("moe_backward", Out("dx", g.dx, N * D), Out("dw_router", g.dw_router, E * D),
             Out("dw_expert", g.dw_expert, E * O * D), In("dy", m.dy, O), In("x", m.x, D),
             In("w_router", m.w_router, D), In("w_expert", m.w_expert, D), In("expert", m.expert, K),
             In("gate", m.gate, K), N, D, O, E, K);
  return g;
}

// Differences of a loss near 100, in double, with a step of 1e-5, are right to about 1e-9.
constexpr Tolerance kDifferences{1e-6, 1e-6};

void compare_dx(Check& check, const Layer& m) {
  check.close("dx", answered(check, m).dx, differences(m, &Layer::x), m.size.D, kDifferences);
}
void compare_dw_router(Check& check, const Layer& m) {
  check.close("dw_router", answered(check, m).dw_router, differences(m, &Layer::w_router), m.size.D,
              kDifferences);
}
void compare_dw_expert(Check& check, const Layer& m) {
  check.close("dw_expert", answered(check, m).dw_expert, differences(m, &Layer::w_expert), m.size.D,
              kDifferences);
}

Numbers random(Check& check, std::int64_t n) {
  const std::vector<float> numbers = check.normal(n);
  return {numbers.begin(), numbers.end()};
}

Layer layer(Check& check, const Size& s) {
  Context ctx(1);
  Layer m{s, random(check, s.N * s.D), random(check, s.E * s.D), random(check, s.E * s.O * s.D),
          random(check, s.N * s.O)};
  choose(ctx, m);
  m.gate = gates_of(ctx, m);
  return m;
}

std::string named(const Size& s) {
  return "N=" + std::to_string(s.N) + " D=" + std::to_string(s.D) + " O=" + std::to_string(s.O) +
         " E=" + std::to_string(s.E) + " K=" + std::to_string(s.K);
}

}  // namespace

MOE_GRADED(HandCase, 2, "Work the README's example on paper: with D = O = 1 every matrix is a number.") {
  Context ctx(1);
  const auto of = [&](const char* name) { return check.example<double>(name); };
  Layer m{{1, 1, 1, 3, 2}, of("x"), of("w_router"), of("w_expert"), of("dy")};
  choose(ctx, m);
  constexpr Tolerance kDigits{0.0006, 0};  // three digits in the README
  check.begin("the README's example, " + named(m.size));
  check.equal("README's expert", check.example<std::int32_t>("expert"), m.expert);
  check.close("README's gate", of("gate"), gates_of(ctx, m), 1, kDigits);
  check.close("README's dx", of("dx"), differences(m, &Layer::x), 1, kDigits);
  check.close("README's dw_router", of("dw_router"), differences(m, &Layer::w_router), 1, kDigits);
  check.close("README's dw_expert", of("dw_expert"), differences(m, &Layer::w_expert), 1, kDigits);
  m.gate = of("gate");
  const Gradients got = answered(check, m);
  check.close("dw_expert", got.dw_expert, of("dw_expert"), 1, kDigits);
  check.close("dw_router", got.dw_router, of("dw_router"), 1, kDigits);
  check.close("dx", got.dx, of("dx"), 1, kDigits);
}

MOE_GRADED(
    Experts, 2,
    "Every token adds gate * dy[o] * x[d] to the gradient of each of its experts; the gate is part of it.") {
  for (const Size& s : {Size{2, 2, 2, 2, 2}, {31, 3, 2, 2, 1}, {63, 4, 5, 7, 3}}) {
    check.begin(named(s));
    compare_dw_expert(check, layer(check, s));
  }
}

MOE_GRADED(Router, 3,
           "dlogit = gate * (dgate - mean), the mean of the K dgates weighted by their gates; every token "
           "adds dlogit * x.") {
  for (const Size& s :
       {Size{1, 2, 1, 2, 2}, {3, 2, 2, 3, 2}, {33, 4, 5, 7, 3}, {31, 3, 4, 4, 4}, {127, 5, 1, 9, 2}}) {
    check.begin(named(s));
    compare_dw_router(check, layer(check, s));
  }
}

MOE_GRADED(InputByExperts, 2,
           "With a router of zeros dx comes through the experts alone: add gate * dy[o] * w[o,d] over o and "
           "over the choices.") {
  for (const Size& s : {Size{2, 2, 2, 2, 2}, {31, 3, 5, 4, 2}, {33, 5, 4, 3, 1}}) {
    Context ctx(1);
    Layer m = layer(check, s);
    std::fill(m.w_router.begin(), m.w_router.end(), 0.0);
    m.gate = gates_of(ctx, m);
    check.begin(named(s) + ", w_router = 0");
    compare_dx(check, m);
  }
}

MOE_GRADED(InputByRouter, 2,
           "x also steers the router, so dx has a second part: add dlogit * w_router over the choices.") {
  for (const Size& s : {Size{2, 2, 2, 2, 2}, {33, 4, 4, 7, 3}, {7, 8, 8, 5, 5}}) {
    check.begin(named(s));
    compare_dx(check, layer(check, s));
  }
}

MOE_GRADED(OneChoice, 1,
           "With K = 1 the gate is 1 whatever the logit: nothing comes to the router, nor to x through it.") {
  const Layer m = layer(check, {5, 3, 2, 4, 1});
  check.begin(named(m.size));
  check.close("dw_router", answered(check, m).dw_router, Numbers(4 * 3, 0.0), 3, {1e-12, 0});
  compare_dx(check, m);
}

MOE_GRADED(NobodyCame, 1,
           "An expert without tokens gets a gradient of zeros, and so does everything when N = 0.") {
  Layer m = layer(check, {3, 2, 2, 3, 1});
  Context ctx(1);
  m.expert.assign(3, 1);
  m.gate = gates_of(ctx, m);
  check.begin(named(m.size) + ", all to expert 1");
  compare_dw_expert(check, m);
  const Layer none = layer(check, {0, 2, 2, 3, 2});
  check.begin(named(none.size));
  const Gradients got = answered(check, none);
  check.equal("dw_router", got.dw_router, Numbers(3 * 2, 0.0), 2);
  check.equal("dw_expert", got.dw_expert, Numbers(3 * 2 * 2, 0.0), 2);
}

}  // namespace moe::grade
