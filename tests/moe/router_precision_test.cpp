// A softmax router in low precision: the decisions of one that rounds its operands and logits and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/moe/routers/router.hpp"
#include "tests/moe/router_case.hpp"
#include "tests/support/devices.hpp"

namespace moe::testing {
namespace {

constexpr std::int64_t E = 6, D = 5;

MoeConfig config_of(const char* router, std::int64_t bits) {
  MoeConfig config;
  config.experts = E;
  config.router = router;
  config.router_bits = bits;
  return config;
}

// bf16 keeps the upper half of a float, rounded to even.
float bf16(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, 4);
  u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000u;
  std::memcpy(&x, &u, 4);
  return x;
}

TEST(RouterPrecision, SevenBitsChooseAndWeighAsBf16Does) {
  for (const std::int64_t N : {0, 1, 33, 129}) {
    Context ctx;
    RouterCase<float> router(ctx, config_of("top_k", 7), D);
    const auto w = values_of<float>(router.parameter.at("weight")->value);
    const Batch b = random_batch(N, D, 3);
    const Decisions got = router.route(b).decisions;
    for (std::int64_t n = 0; n < N; ++n) {
      std::vector<std::pair<double, std::int32_t>> logit;
      for (std::int64_t e = 0; e < E; ++e) {
        float sum = 0;
        for (std::int64_t d = 0; d < D; ++d)
          sum += bf16(static_cast<float>(b.x[n * D + d])) * bf16(w[e * D + d]);
        logit.emplace_back(-bf16(sum), static_cast<std::int32_t>(e));  // ties go to the lower expert
      }
      std::sort(logit.begin(), logit.end());
      const double p = std::exp(-logit[0].first), q = std::exp(-logit[1].first);
      std::vector<std::pair<std::int32_t, double>> expected = {{logit[0].second, p / (p + q)},
                                                               {logit[1].second, q / (p + q)}};
      std::sort(expected.begin(), expected.end());
      EXPECT_TRUE(same({got[n]}, {expected}, 1e-6)) << n;
    }
  }
}

// With two bits some decisions change, with all of them none; otherwise the test above could not fail.
TEST(RouterPrecision, FewBitsChangeDecisionsAndAllBitsNone) {
  Context ctx;
  const Batch b = random_batch(129, D, 3);
  for (const char* name : {"top_k", "switch"}) {
    const Decisions full = RouterCase<float>(ctx, config_of(name, 0), D).route(b).decisions;
    EXPECT_TRUE(same(RouterCase<float>(ctx, config_of(name, 23), D).route(b).decisions, full, 0));
    const Decisions coarse = RouterCase<float>(ctx, config_of(name, 2), D).route(b).decisions;
    std::int64_t flips = 0;
    for (std::size_t n = 0; n < full.size(); ++n)
      for (const auto& [expert, weight] : coarse[n])
        flips += std::none_of(full[n].begin(), full[n].end(), [e = expert](auto& c) { return c.first == e; });
    EXPECT_GT(flips, 0) << name;
  }
}

TEST(RouterPrecision, GradientsAndDevicesAgree) {
  Context ctx;
  for (const std::int64_t N : {0, 1, 33}) {
    RouterCase<float> here(ctx, config_of("top_k", 7), D);
    const Batch b = random_batch(N, D, 4);
    const auto expected = here.train(b);
    each_device([&](Context& device) {
      RouterCase<float> there(device, config_of("top_k", 7), D);
      EXPECT_TRUE(same(there.route(b).decisions, here.route(b).decisions, 1e-6));
      EXPECT_TRUE(close(there.train(b), expected, {1e-5, 1e-4}));
    });
  }
}

}  // namespace
}  // namespace moe::testing
