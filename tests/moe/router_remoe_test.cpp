#include "common/moe/routers/remoe.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

// The score of expert e is feature e.
struct Plain : RouterCase<double> {
  Plain(Context& on, std::int64_t E, std::int64_t K) : RouterCase<double>(on, config_of(E, K), E) {
    std::vector<double> identity(static_cast<std::size_t>(E * E));
    for (std::int64_t e = 0; e < E; ++e) identity[e * E + e] = 1;
    parameter["weight"]->value = tensor_of<double>(on, identity, {E, E});
    set_lambda(1);
  }
  static MoeConfig config_of(std::int64_t E, std::int64_t K) {
    MoeConfig c = moe_config({0, E, 4, E, K});
    c.router = "remoe";
    c.sparsity_factor = 2;
    return c;
  }
  void set_lambda(double value) { parameter["lambda"]->value = tensor_of<double>(ctx, {value}, {1}); }
  double lambda() { return scalar_of(parameter["lambda"]->value); }
  void end_step() { parameter["lambda"]->after_step(ctx); }
};

TEST(ReMoe, ThePositiveAreChosenAndWeighThemselves) {
  Context ctx;
  Plain router(ctx, 3, 1);
  const Batch b{3, {2, -1, 0.5, -1, -1, 0, 4, 5, 6}, {0, 0, 0}};
  const Outcome o = router.route(b);
  EXPECT_EQ(o.decisions, (Decisions{{{0, 2.0}, {2, 0.5}}, {}, {{0, 4.0}, {1, 5.0}, {2, 6.0}}}));
  EXPECT_EQ(o.routing.per_token, 3);
}

// λ·1/N·Σ_n Σ_e f_e·g_ne, f_e = E·count_e/(N·K).
TEST(ReMoe, ThePenaltyIsWeighedByLoad) {
  Context ctx;
  Plain router(ctx, 3, 1);
  router.set_lambda(0.25);
  const Outcome o = router.route({3, {2, -1, 0.5, -1, -1, 0, 4, 5, 6}, {0, 0, 0}});
  ASSERT_EQ(o.losses.items.size(), 1u);
  EXPECT_EQ(o.losses.items[0].coefficient, 1);
  EXPECT_NEAR(scalar_of(o.losses.items[0].loss.tensor), 0.25 / 3 * (2 * (2 + 4) + 1 * 5 + 2 * (0.5 + 6)),
              1e-14);
}

TEST(ReMoe, LambdaMovesOnceAStepTowardsKExpertsAToken) {
  Context ctx;
  Plain router(ctx, 3, 1);
  const Batch two{3, {1, 1, -1}, {0}}, one{3, {1, -1, -1}, {0}}, none{3, {-1, -1, -1}, {0}};
  router.end_step();
  EXPECT_EQ(router.lambda(), 1);
  router.route(two);  // no training
  router.end_step();
  EXPECT_EQ(router.lambda(), 1);
  router.training = true;
  router.route(two);
  router.end_step();
  EXPECT_EQ(router.lambda(), 2);
  router.end_step();
  EXPECT_EQ(router.lambda(), 2) << "once";
  router.route(two);
  router.route(none);  // together one a token
  router.end_step();
  EXPECT_EQ(router.lambda(), 2);
  for (const Batch& b : {none, one}) router.route(b);
  router.end_step();
  EXPECT_EQ(router.lambda(), 1);
}

// With K = 2 twice as many choices are wanted: the penalty halves, and two experts a token are neither too many nor too few.
TEST(ReMoe, KIsWhatAnExpertsLoadIsMeasuredBy) {
  Context ctx;
  const Batch b{3, {2, -1, 0.5, -1, -1, 0, 4, 5, 6}, {0, 0, 0}}, two{3, {1, 1, -1}, {0}};
  Plain one(ctx, 3, 1), router(ctx, 3, 2);
  const auto penalty = [&](Plain& r) { return scalar_of(r.route(b).losses.items.at(0).loss.tensor); };
  EXPECT_NEAR(penalty(router), penalty(one) / 2, 1e-14);
  router.training = true;
  router.route(two);
  router.end_step();
  EXPECT_EQ(router.lambda(), 1);
  router.route({3, {1, 1, 1}, {0}});
  router.end_step();
  EXPECT_EQ(router.lambda(), 2);
}

TEST(ReMoe, ARecomputedPassCountsOnce) {
  Context ctx;
  Plain router(ctx, 3, 1);
  ForwardContext f{.ctx = ctx, .training = true};  // without sinks, as inside a recomputed segment
  router.router->route(f, router.input({3, {1, 1, 1}, {0}}));
  router.end_step();
  EXPECT_EQ(router.lambda(), 1);
}

TEST(ReMoe, LambdaStaysFinite) {
  Context ctx;
  Plain router(ctx, 3, 1);
  router.training = true;
  for (int step = 0; step < 3000; ++step) {
    router.route({3, {1, 1, 1}, {0}});
    router.end_step();
  }
  EXPECT_EQ(router.lambda(), 1e4);
}

// Gradient descent on the penalty alone, with the rule: from all three experts to about one a token.
TEST(ReMoe, ThePenaltyMakesItSparse) {
  Context ctx;
  Plain router(ctx, 4, 1);
  router.set_lambda(1e-3);
  Batch b = random_batch(64, 4, 3);
  for (std::int64_t n = 0; n < 64; ++n)
    b.x[n * 4] = 1;  // without a constant half of all scores would be positive
  Parameter& w = *router.parameter["weight"];
  const auto chosen = [&] {
    std::size_t sum = 0;
    for (const auto& choices : router.route(b).decisions) sum += choices.size();
    return static_cast<double>(sum) / 64;
  };
  w.value = tensor_of<double>(ctx, std::vector<double>(16, 0.1), {4, 4});
  EXPECT_GT(chosen(), 1.5);
  for (int step = 0; step < 300; ++step) {
    for (auto& [name, p] : router.parameter) p->has_grad = false;
    LossSink losses;
    const TokenInfo info = router.tokens(b);
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape, .training = true, .tokens = &info, .losses = &losses};
    router.router->route(f, router.input(b));
    const Tape::Root root{losses.items.at(0).loss};
    tape.backward({&root, 1});
    auto value = values_of<double>(w.value);
    const auto grad = values_of<double>(w.grad);
    for (std::size_t i = 0; i < value.size(); ++i) value[i] -= 0.01 * std::clamp(grad[i], -1.0, 1.0);
    w.value = tensor_of<double>(ctx, value, {4, 4});
    router.end_step();
  }
  EXPECT_LT(chosen(), 1.5);
}

}  // namespace
}  // namespace moe::testing
