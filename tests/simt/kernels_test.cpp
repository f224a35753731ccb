// The .cu versions on every device against the CPU's, called as any caller does: by the context's device.
#include <algorithm>
#include <limits>

#include "kernels/gemm/gemm.hpp"
#include "kernels/rms_norm/rms_norm.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/rows/rows.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"
#include "tests/simt/support.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 127, 129};
constexpr Tolerance kFewRoundings{1e-6, 1e-5};  // sums in another order, another exp

template <class Signature>
void expect_rows(const Operation<Signature>& operation) {
  std::vector<DeviceKind> missing = {DeviceKind::emulated};
#ifdef MOE_HAVE_CHECKED
  missing.push_back(DeviceKind::checked);
#endif
  for (const auto& version : operation.versions()) std::erase(missing, version.device);
  for (const DeviceKind kind : missing)
    ADD_FAILURE() << operation.name() << " has no row for " << name_of(kind);
}

TEST(DeviceKernels, StandInTheTables) {
  expect_rows(softmax<float>);
  expect_rows(softmax_backward<float>);
  expect_rows(rms_norm<float>);
  expect_rows(top_k_gate<float>);
  expect_rows(gather_rows<float>);
  expect_rows(gather_rows_backward<float>);
  expect_rows(combine_rows<float>);
  expect_rows(combine_rows_backward<float>);
  expect_rows(histogram);
  expect_rows(sort_by_key);
  expect_rows(gemm<float>);
}

// Nothing falls back to the CPU in silence.
TEST(DeviceKernels, AnOperationWithoutAVersionIsAnError) {
  Context ctx;
  ctx.device.kind = DeviceKind::emulated;
  EXPECT_TRUE(says(error_of([&] { softmax<double>(ctx, nullptr, nullptr, nullptr, 0, 1); }),
                   {"softmax on emulated"}));
}

TEST(DeviceKernels, SoftmaxAgreesWithTheCpu) {
  Context cpu;
  for (const std::int64_t R : kSizes)
    for (const std::int64_t C : {1, 31, 32, 33, 127, 129}) {
      const auto x = random_normal<float>(R * C, 1), dy = random_normal<float>(R * C, 2);
      std::vector<float> y(R * C), lse(R), dx(R * C);
      softmax<float>(cpu, y.data(), lse.data(), x.data(), R, C);
      softmax_backward<float>(cpu, dx.data(), dy.data(), y.data(), R, C, false);
      every_device([&](Context& ctx) {
        OnDevice<float> x2(ctx, x), dy2(ctx, dy), y_in(ctx, y), y2(ctx, R * C), lse2(ctx, R), dx2(ctx, R * C);
        softmax<float>(ctx, y2, lse2, x2, R, C);
        softmax_backward<float>(ctx, dx2, dy2, y_in, R, C, false);
        EXPECT_TRUE(close(y2.vector(), y, kFewRoundings)) << R << " x " << C;
        EXPECT_TRUE(close(lse2.vector(), lse, kFewRoundings)) << R << " x " << C;
        EXPECT_TRUE(close(dx2.vector(), dx, kFewRoundings)) << R << " x " << C;
      });
    }
}

TEST(DeviceKernels, SoftmaxKeepsNaNInItsRowAndWorksInPlace) {
  every_device([](Context& ctx) {
    for (const std::int64_t C : {3, 33, 129}) {
      auto x = random_normal<float>(3 * C, 3);
      x[C + C / 2] = std::numeric_limits<float>::quiet_NaN();
      OnDevice<float> in_place(ctx, x), in(ctx, x), apart(ctx, 3 * C);
      softmax<float>(ctx, apart, nullptr, in, 3, C);
      softmax<float>(ctx, in_place, nullptr, in_place, 3, C);
      const std::vector<float> y = in_place.vector();
      EXPECT_TRUE(same_bytes(y, apart.vector()));
      for (std::int64_t i = 0; i < 3 * C; ++i) EXPECT_EQ(std::isnan(y[i]), i / C == 1);
    }
  });
}

TEST(DeviceKernels, RmsNormAgreesWithTheCpu) {
  Context cpu;
  for (const std::int64_t N : kSizes)
    for (const std::int64_t D : {1, 31, 32, 33, 127, 129}) {
      const auto x = random_normal<float>(N * D, 1), w = random_normal<float>(D, 2);
      std::vector<float> y(N * D), inverse(N);
      rms_norm<float>(cpu, y.data(), inverse.data(), x.data(), w.data(), N, D, D, 1e-5);
      every_device([&](Context& ctx) {
        OnDevice<float> x2(ctx, x), w2(ctx, w), y2(ctx, N * D), inverse2(ctx, N), alone(ctx, N * D);
        rms_norm<float>(ctx, y2, inverse2, x2, w2, N, D, D, 1e-5);
        rms_norm<float>(ctx, alone, nullptr, x2, w2, N, D, D, 1e-5);
        EXPECT_TRUE(close(y2.vector(), y, kFewRoundings)) << N << " x " << D;
        EXPECT_TRUE(close(inverse2.vector(), inverse, kFewRoundings)) << N << " x " << D;
        EXPECT_TRUE(same_bytes(alone.vector(), y2.vector()));
      });
    }
}

// Ties, NaN, infinities and both zeros among the scores.
std::vector<float> awkward_scores(std::int64_t n) {
  std::vector<float> score = random_integers<float>(n, 4, 5);
  for (std::int64_t i = 0; i < n; ++i) {
    if (i % 7 == 3) score[i] = std::numeric_limits<float>::quiet_NaN();
    if (i % 11 == 5) score[i] = (i % 2 ? 1 : -1) * std::numeric_limits<float>::infinity();
    if (i % 13 == 6) score[i] = -0.f;
  }
  return score;
}

void expect_same_choice(const std::vector<float>& score, const TopKShape& s) {
  SCOPED_TRACE(concat("N ", s.N, " E ", s.E, " K ", s.K));
  Context cpu;
  Output<std::int32_t> expert(s.N * s.K);
  Output<float> weight(s.N * s.K);
  top_k_gate<float>(cpu, expert, weight, score.data(), s);
  every_device([&](Context& ctx) {
    OnDevice<float> score2(ctx, score), weight2(ctx, s.N * s.K);
    OnDevice<std::int32_t> expert2(ctx, s.N * s.K);
    top_k_gate<float>(ctx, expert2, weight2, score2, s);
    EXPECT_EQ(expert2.vector(), expert.vector());
    const std::vector<float> got = weight2.vector();
    for (std::int64_t i = 0; i < s.N * s.K; ++i) {
      const float a = got[i], b = weight.data()[i];
      ASSERT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " against " << b << " at " << i;
    }
  });
}

TEST(DeviceKernels, TopKChoosesWhatTheCpuChooses) {
  for (const std::int64_t N : kSizes)
    for (const std::int64_t E : {1, 8, 33})
      for (const std::int64_t K : {std::int64_t{1}, std::min<std::int64_t>(2, E), E})
        expect_same_choice(awkward_scores(N * E), {N, E, K, false});
}

// The sum and the quotients are the CPU's, in the CPU's order: equal to the last bit.
TEST(DeviceKernels, TopKRenormalisesAsTheCpuDoes) {
  for (const std::int64_t N : {1, 33, 129}) {
    std::vector<float> score = random_normal<float>(N * 16, 6);
    for (float& x : score) x = x * x;
    expect_same_choice(score, {N, 16, 4, true});
    expect_same_choice(std::vector<float>(N * 16, 0.f), {N, 16, 4, true});  // all underflowed
  }
}

// Integers, so that every sum is exact. Every token has two assignments, of which every fifth is dropped; as a token-major
// list, or with places and weights told apart.
struct Routed {
  Routed(std::int64_t N, std::int64_t D, bool token_major) : s{N, 2 * N, D}, K(token_major ? 2 : 0) {
    for (std::int64_t n = 0; n <= N; ++n) token_offset.push_back(static_cast<std::int32_t>(2 * n));
    for (std::int64_t i = 0; i < 2 * N; ++i) {
      row.push_back(i % 5 == 3 ? -1 : static_cast<std::int32_t>(2 * N - 1 - i));
      element.push_back(static_cast<std::int32_t>((i + 7) % (2 * N)));
    }
  }
  RowsShape s;
  std::int64_t K;
  Ints row, token_offset, element;
};

// The results of all four operations of kernels/rows, one after the other.
std::vector<float> move_rows(Context& ctx, const Routed& r) {
  const auto [N, A, D] = r.s;
  OnDevice<float> x(ctx, random_integers<float>(N * D, 9, 1)), rows(ctx, random_integers<float>(A * D, 9, 2)),
      weight(ctx, random_integers<float>(A, 9, 3));
  OnDevice<std::int32_t> row(ctx, r.row), token_offset(ctx, r.token_offset), element(ctx, r.element);
  const TokenRows where = r.K > 0 ? TokenRows{row, r.K} : TokenRows{row, 0, token_offset, element};
  const std::vector<float> untouched(2 * A * D + 2 * N * D + A, -777);  // rows of dropped assignments stay
  OnDevice<float> y(ctx, untouched);
  float* at = y;
  gather_rows<float>(ctx, at, x, where, r.s);
  gather_rows_backward<float>(ctx, at + A * D, rows, where, r.s);
  combine_rows<float>(ctx, at + A * D + N * D, rows, weight, where, r.s);
  float* rest = at + A * D + 2 * N * D;
  combine_rows_backward<float>(ctx, rest, rest + A * D, x, rows, weight, where, r.s);
  return y.vector();
}

TEST(DeviceKernels, RowsMoveAsOnTheCpu) {
  for (const std::int64_t N : kSizes)
    for (const std::int64_t D : {1, 31, 32, 33, 127, 129})
      for (const bool token_major : {true, false}) {
        SCOPED_TRACE(concat("N ", N, " D ", D, token_major ? " token-major" : ""));
        const Routed routed(N, D, token_major);
        Context cpu;
        const auto expected = move_rows(cpu, routed);
        every_device([&](Context& ctx) { EXPECT_TRUE(close(move_rows(ctx, routed), expected)); });
      }
}

Ints sorted(Context& ctx, const Ints& keys, std::int64_t buckets) {
  const auto n = static_cast<std::int64_t>(keys.size());
  OnDevice<std::int32_t> key(ctx, keys), out(ctx, 2 * buckets + 1 + 2 * n);
  std::int32_t *count = out.data(), *offset = count + buckets, *source = offset + buckets + 1;
  histogram(ctx, count, key, n, buckets);
  sort_by_key(ctx, offset, source, source + n, key, n, buckets);
  return out.vector();
}

TEST(DeviceKernels, KeysAreCountedAndSortedAsOnTheCpu) {
  for (const std::int64_t n : {0, 1, 31, 32, 33, 127, 129, 1025})
    for (const std::int64_t buckets : {1, 8, 33, 129}) {
      SCOPED_TRACE(concat("n ", n, " buckets ", buckets));
      Ints key = random_integers<std::int32_t>(n, static_cast<int>(buckets), 4);  // half of them outside
      Context cpu;
      const Ints expected = sorted(cpu, key, buckets), one(n, static_cast<std::int32_t>(buckets - 1));
      const Ints expected_one = sorted(cpu, one, buckets);
      every_device([&](Context& ctx) {
        EXPECT_EQ(sorted(ctx, key, buckets), expected);
        EXPECT_EQ(sorted(ctx, one, buckets), expected_one) << "all in one bucket";
      });
    }
}

TEST(DeviceKernels, ProductsOfIntegersAreExact) {
  for (const std::int64_t M : kSizes)
    for (const std::int64_t N : {1, 31, 33})
      for (const std::int64_t K : {0, 1, 16, 33, 129})
        for (const Transpose t : {Transpose::no, Transpose::yes}) {
          SCOPED_TRACE(concat(M, " x ", N, " x ", K));
          const GemmShape s = gemm_shape(M, N, K, t, t == Transpose::no ? Transpose::yes : Transpose::no, 2);
          const auto a = random_integers<float>(M * K, 5, 1), b = random_integers<float>(K * N, 5, 2),
                     before = random_integers<float>(M * N, 5, 3);
          Context cpu;
          std::vector<float> expected = before;
          gemm<float>(cpu, expected.data(), a.data(), b.data(), s);
          every_device([&](Context& ctx) {
            OnDevice<float> a2(ctx, a), b2(ctx, b), c(ctx, before);
            gemm<float>(ctx, c, a2, b2, s);
            EXPECT_TRUE(close(c.vector(), expected));
          });
        }
}

}  // namespace
}  // namespace moe
