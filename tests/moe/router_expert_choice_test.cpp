#include "common/moe/routers/expert_choice.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

MoeConfig config_of(std::int64_t E, std::int64_t K, double factor = 0) {
  MoeConfig c = moe_config({0, E, 4, E, K});
  c.router = "expert_choice";
  c.capacity_factor = factor;
  return c;
}

// Scores (N, 2) = x, by an identity router. Expert 0 wants tokens 2 and 0, expert 1 wants 1 and 0; nobody wants token 3.
TEST(ExpertChoice, ExpertsTakeTheirBestTokens) {
  Context ctx;
  RouterCase<double> router(ctx, config_of(2, 1), 2);
  router.parameter["weight"]->value = tensor_of<double>(ctx, {1, 0, 0, 1}, {2, 2});
  const Outcome o = router.route({2, {1, 1, 0, 4, 3, 0, 0.5, 0.5}, {0, 0, 0, 0}});
  const double high0 = 1 / (1 + std::exp(-3)), high1 = 1 / (1 + std::exp(-4));
  EXPECT_TRUE(same(o.decisions, {{{0, 0.5}, {1, 0.5}}, {{1, high1}}, {{0, high0}}, {}}, 1e-14));
  EXPECT_EQ(values_of<std::int32_t>(o.routing.expert), (std::vector<std::int32_t>{0, 0, 1, 1}));
  EXPECT_EQ(values_of<std::int32_t>(metric(o.metrics, "expert")),
            (std::vector<std::int32_t>{0, 1, -1, 1, 0, -1, -1, -1}));
}

TEST(ExpertChoice, LoadsAreEqualAndTheCapacityIsRoundedUp) {
  Context ctx;
  for (const auto& [N, factor, C] :
       {std::tuple{32, 0.0, 8}, {33, 0.0, 9}, {33, 2.0, 17}, {1, 0.0, 1}, {33, 100.0, 33}}) {
    RouterCase<double> router(ctx, config_of(8, 2, factor), 8);
    const auto count = values_of<std::int32_t>(metric(router.route(random_batch(N, 8, 3)).metrics, "choice"));
    EXPECT_EQ(count, std::vector<std::int32_t>(8, C)) << N << " " << factor;
  }
}

// The layer as a whole: a list that is not token-major, tokens that nobody takes, and all gradients.
TEST(ExpertChoice, TheLayersGradientsAgreeWithDifferences) {
  MoeConfig config = config_of(4, 2, 0.5);
  TestLayer<double> test(config, 5, 3);
  const Tensor x = normal_tensor(test.ctx, {9, 5}, 4);
  const GradientCheck check =
      check_all(test.ctx, {x}, test.all(), [&](ForwardContext& f, const std::vector<Value>& in) {
        return project(f, test.layer.forward(f, in[0]));
      });
  EXPECT_LT(check.worst, 1e-5) << check.where;
}

TEST(ExpertChoice, HasAZLossAndNoOther) {
  Context ctx;
  MoeConfig config = config_of(7, 2);
  config.z_coefficient = 0.25;
  RouterCase<double> router(ctx, config, 7);
  router.parameter["weight"]->value = Tensor::zeros(ctx, DType::f64, {7, 7});
  const Outcome o = router.route(random_batch(5, 7, 3));
  ASSERT_EQ(o.losses.items.size(), 1u);
  EXPECT_EQ(o.losses.items[0].name, "z");
  EXPECT_EQ(o.losses.items[0].coefficient, 0.25);
  EXPECT_NEAR(scalar_of(o.losses.items[0].loss.tensor), std::log(7.0) * std::log(7.0), 1e-14);
}

}  // namespace
}  // namespace moe::testing
