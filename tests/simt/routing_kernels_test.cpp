// balance_loss, the top-k gate's gradient and routing_plan: their .cu versions against the CPU's.
#include <limits>

#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/dispatch/dispatch.hpp"
#include "kernels/gate_losses/gate_losses.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"
#include "tests/simt/against_cpu.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr Tolerance kFewRoundings{1e-6, 1e-6};  // of a float, or sums in double rounded to one

std::vector<float> magnitudes(std::int64_t n, std::uint64_t seed) {
  auto x = random_normal<float>(n, seed);
  for (float& value : x) value = std::abs(value);
  return x;
}

// Every third expert is empty.
Ints some_counts(std::int64_t E) {
  Ints count(E);
  for (std::int64_t e = 0; e < E; ++e) count[e] = e % 3 == 1 ? 0 : static_cast<std::int32_t>(5 + e * 7 % 50);
  return count;
}

// Both losses, and their gradients written and added.
std::vector<float> router_losses(Context& ctx, const Ints& counts, std::int64_t N, std::int64_t shift) {
  const auto E = static_cast<std::int64_t>(counts.size());
  OnDevice<float> balance(ctx, 1), z(ctx, 1), p(ctx, magnitudes(N * E, 1), shift),
      lse(ctx, random_normal<float>(N, 2)), dloss(ctx, std::vector<float>{-0.5f}),
      dp(ctx, random_normal<float>(N * E, 3), shift), dlogits(ctx, random_normal<float>(N * E, 4), shift);
  OnDevice<std::int32_t> count(ctx, counts);
  balance_loss<float>(ctx, balance, p, count, {N, E});
  z_loss<float>(ctx, z, lse, N);
  balance_loss_backward<float>(ctx, dp, dloss, count, {N, E}, true);
  z_loss_backward<float>(ctx, dlogits, dloss, lse, p, N, E, true);
  const auto added = together(dp.vector(), dlogits.vector());
  balance_loss_backward<float>(ctx, dp, dloss, count, {N, E}, false);
  z_loss_backward<float>(ctx, dlogits, dloss, lse, p, N, E, false);
  return together(balance.vector(), z.vector(), added, dp.vector(), dlogits.vector());
}

TEST(BalanceLossKernel, LossesAndGradientsAgreeWithTheCpu) {
  for (const std::int64_t N : {0, 1, 31, 32, 33, 127, 129, 4200})  // the last: the largest number of chunks
    for (const std::int64_t E : {1, 8, 31, 33, 129}) {
      if (N > 129 && E > 8) continue;
      SCOPED_TRACE(concat(N, " x ", E));
      against_cpu([&](Context& ctx) { return router_losses(ctx, some_counts(E), N, E % 2); }, kFewRoundings);
    }
}

TEST(BalanceLossKernel, NoChoicesCostNothingAndOneExpertCostsE) {
  against_cpu([&](Context& ctx) { return router_losses(ctx, Ints(8, 0), 33, 0); }, kFewRoundings);
  every_device([](Context& ctx) {
    std::vector<float> one_hot(5 * 4, 0.f);
    for (int n = 0; n < 5; ++n) one_hot[n * 4 + 2] = 1;
    OnDevice<float> loss(ctx, 1), p(ctx, one_hot), even(ctx, std::vector<float>(192 * 64, 1.f / 64));
    OnDevice<std::int32_t> count(ctx, Ints{0, 0, 5, 0}), fair(ctx, Ints(64, 6));
    balance_loss<float>(ctx, loss, p, count, {5, 4});
    EXPECT_EQ(loss.vector()[0], 4.f);
    balance_loss<float>(ctx, loss, even, fair, {192, 64});
    EXPECT_EQ(loss.vector()[0], 1.f) << "perfect balance";
  });
}

// Operations that are made of others: the devices' rows of their tables.
TEST(ComposedRouting, DispatchAndGateLossesAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes) {
    const std::int64_t E = 5, K = 2, D = 33;
    SCOPED_TRACE(concat(N, " tokens"));
    Ints choices;
    for (std::int64_t i = 0; i < N * K; ++i) choices.push_back(static_cast<std::int32_t>(i * i % 7) - 1);
    against_cpu(
        [&](Context& ctx) {
          OnDevice<float> rows(ctx, std::vector<float>(N * K * D)), x(ctx, random_normal<float>(N * D, 1)),
              p(ctx, magnitudes(N * E, 2)), lse(ctx, random_normal<float>(N, 3)), balance(ctx, 1), z(ctx, 1);
          OnDevice<std::int32_t> offset(ctx, E + 1), row(ctx, N * K), expert(ctx, choices), count(ctx, E);
          dispatch_rows<float>(ctx, rows, offset, row, x, expert, {N, K, D, E});
          gate_losses<float>(ctx, count, balance, z, p, lse, expert, {N, E, K});
          std::vector<float> all = together(rows.vector(), balance.vector(), z.vector());
          for (const Ints& integers : {offset.vector(), row.vector(), count.vector()})
            all.insert(all.end(), integers.begin(), integers.end());
          return all;
        },
        kFewRoundings);
  }
}

TEST(BalanceLossKernel, NaNReachesTheLosses) {
  every_device([](Context& ctx) {
    std::vector<float> values(40, 0.5f);
    values[33] = kNaN;
    OnDevice<float> loss(ctx, 1), x(ctx, values);
    OnDevice<std::int32_t> count(ctx, Ints{3, 1, 0, 4});
    balance_loss<float>(ctx, loss, x, count, {10, 4});
    EXPECT_TRUE(std::isnan(loss.vector()[0]));
    z_loss<float>(ctx, loss, x, 40);
    EXPECT_TRUE(std::isnan(loss.vector()[0]));
  });
}

void expect_gate_gradient(const std::vector<float>& scores, const TopKShape& s) {
  SCOPED_TRACE(concat("N ", s.N, " E ", s.E, " K ", s.K, s.renormalise ? " renormalised" : ""));
  Context cpu;
  Ints chosen(s.N * s.K);
  std::vector<float> weight(s.N * s.K);
  top_k_gate<float>(cpu, chosen.data(), weight.data(), scores.data(), s);
  against_cpu(
      [&](Context& ctx) {
        OnDevice<float> dscore(ctx, s.N * s.E, 1), dweight(ctx, random_normal<float>(s.N * s.K, 2)),
            score(ctx, scores, 1);
        OnDevice<std::int32_t> expert(ctx, chosen);
        weigh_choice_backward<float>(ctx, dscore, dweight, score, expert, {s.N, s.E, s.K, s.renormalise});
        return dscore.vector();
      },
      {1e-5, 1e-5});
}

TEST(TopKGateKernel, TheGradientIsTheCpus) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t E : {1, 8, 33})
      for (const std::int64_t K : {std::int64_t{1}, std::min<std::int64_t>(2, E), E})
        for (const bool renormalise : {false, true}) {
          auto scores = random_integers<float>(N * E, 3, 1);  // many ties
          for (float& x : scores) x = x * x + 0.25f;
          expect_gate_gradient(scores, {N, E, K, renormalise});
        }
}

TEST(TopKGateKernel, TheGradientOfUnderflowedAndOfNaNScores) {
  for (const float score : {0.f, 1e-30f, kNaN})
    for (const bool renormalise : {false, true})
      expect_gate_gradient(std::vector<float>(33 * 8, score), {33, 8, 3, renormalise});
}

// Keys from -2 to buckets + 1, so that some lie outside on either side, and the extreme ones.
Ints keys_of(std::int64_t n, std::int64_t buckets, std::uint64_t seed = 1) {
  Ints key(n);
  for (std::int64_t i = 0; i < n; ++i)
    key[i] = static_cast<std::int32_t>(philox({.seed = seed}, i)[0] % (buckets + 4)) - 2;
  if (n > 10) {
    key[3] = std::numeric_limits<std::int32_t>::max();
    key[7] = std::numeric_limits<std::int32_t>::min();
  }
  return key;
}

// Every version that the context's device has must give the same; offset, source, row.
Ints sorted(Context& ctx, const Ints& keys, std::int64_t buckets) {
  const auto n = static_cast<std::int64_t>(keys.size());
  OnDevice<std::int32_t> key(ctx, keys, 1);
  Ints result;
  for (const auto& version : sort_by_key.versions()) {
    if (version.device != ctx.device.kind) continue;
    SCOPED_TRACE(version.name);
    OnDevice<std::int32_t> offset(ctx, buckets + 1), source(ctx, n), row(ctx, n), again(ctx, n);
    version.function(ctx, offset, source, row, key, n, buckets);
    const Ints here = together(offset.vector(), source.vector(), row.vector());
    if (!result.empty()) {
      EXPECT_EQ(here, result);
    }
    result = here;
    version.function(ctx, offset, again, nullptr, key, n, buckets);
    EXPECT_EQ(again.vector(), source.vector()) << "without row";
    version.function(ctx, offset, nullptr, again, key, n, buckets);
    EXPECT_EQ(again.vector(), row.vector()) << "without source";
  }
  return result;
}

void expect_sorted(const Ints& keys, std::int64_t buckets) {
  SCOPED_TRACE(concat(keys.size(), " keys, ", buckets, " buckets"));
  against_cpu([&](Context& ctx) { return sorted(ctx, keys, buckets); });
}

// 1, 128, 129: one digit of one bit, one of seven, two of four; 16385: three. A chunk has 1024 keys.
TEST(RoutingPlanKernels, SortStablyAndLeaveOutKeysOutside) {
  for (const std::int64_t n : {0, 1, 31, 32, 33, 127, 129, 1024, 1025, 3000})
    for (const std::int64_t buckets : {0, 1, 2, 8, 33, 128, 129, 1000})
      expect_sorted(keys_of(n, buckets), buckets);
  expect_sorted(keys_of(500, 16384), 16384);
  expect_sorted(keys_of(500, 16385), 16385);
}

TEST(RoutingPlanKernels, SortWithEmptyBucketsAndAllInOne) {
  for (const std::int64_t buckets : {64, 129})
    for (const std::int32_t only : {0, 63, -1}) expect_sorted(Ints(2500, only), buckets);
  Ints odd = keys_of(2500, 30);
  for (std::int32_t& k : odd) k = 2 * (k & 31) + 1;  // every second one
  expect_sorted(odd, 64);
}

// By token: as many buckets as elements, as expert choice asks for.
TEST(RoutingPlanKernels, SortWithABucketForEveryElement) {
  for (const std::int64_t n : {1, 33, 129, 2049}) {
    Ints reversed(n);
    for (std::int64_t i = 0; i < n; ++i) reversed[i] = static_cast<std::int32_t>(n - 1 - i);
    expect_sorted(reversed, n);
  }
}

// More keys than 256 chunks of 1024: a thread's run grows.
TEST(RoutingPlanKernels, SortManyKeys) {
  const Ints keys = keys_of(300001, 40);
  Context cpu, ctx({.kind = DeviceKind::emulated}, 2);
  const std::int64_t n = 300001;
  Ints offset(41), source(n), row(n);
  sort_by_key(cpu, offset.data(), source.data(), row.data(), keys.data(), n, 40);
  OnDevice<std::int32_t> key(ctx, keys), offset2(ctx, 41), source2(ctx, n), row2(ctx, n);
  sort_by_key(ctx, offset2, source2, row2, key, n, 40);
  EXPECT_EQ(offset2.vector(), offset);
  EXPECT_EQ(source2.vector(), source);
  EXPECT_EQ(row2.vector(), row);
}

TEST(RoutingPlanKernels, CapacityKeepsTheFirstOfEachBucket) {
  for (const std::int64_t n : {0, 1, 31, 33, 129, 1500})
    for (const std::int64_t buckets : {1, 8, 129})
      for (const std::int64_t capacity :
           {std::int64_t{0}, std::int64_t{1}, std::int64_t{17}, std::int64_t{1} << 40}) {
        SCOPED_TRACE(concat(n, " keys, ", buckets, " buckets, capacity ", capacity));
        const Ints keys = keys_of(n, buckets, 2);
        against_cpu([&](Context& ctx) {
          OnDevice<std::int32_t> kept(ctx, n, 1), key(ctx, keys, 1);
          limit_per_key(ctx, kept, key, n, buckets, capacity);
          limit_per_key(ctx, key, key, n, buckets, capacity);
          EXPECT_EQ(key.vector(), kept.vector()) << "in place";
          return kept.vector();
        });
      }
}

TEST(RoutingPlanKernels, LookUpPassesMinusOneThrough) {
  for (const std::int64_t n : {0, 1, 31, 33, 129, 5000}) {
    Ints places(n);
    for (std::int64_t i = 0; i < n; ++i) places[i] = static_cast<std::int32_t>(i % 5) - 1;
    against_cpu([&](Context& ctx) {
      OnDevice<std::int32_t> y(ctx, n, 1), table(ctx, Ints{10, -1, 12, 13}), index(ctx, places, 1);
      look_up(ctx, y, table, index, n);
      return y.vector();
    });
  }
}

}  // namespace
}  // namespace moe
