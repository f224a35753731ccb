// rms_norm's gradient, embedding, rope and cross_entropy: their .cu versions against the CPU's.
#include <limits>

#include "kernels/cross_entropy/cross_entropy.hpp"
#include "kernels/embedding/embedding.hpp"
#include "kernels/rms_norm/rms_norm.hpp"
#include "kernels/rope/rope.hpp"
#include "tests/simt/against_cpu.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

constexpr std::int64_t kWidths[] = {1, 31, 32, 33, 127, 129};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Ints random_below(std::int64_t n, std::int64_t limit, std::uint64_t seed) {
  Ints x(n);
  for (std::int64_t i = 0; i < n; ++i)
    x[i] = static_cast<std::int32_t>(philox({.seed = seed}, i)[0] % static_cast<std::uint64_t>(limit));
  return x;
}

std::vector<float> rms_norm_gradients(Context& ctx, std::int64_t N, std::int64_t D, bool accumulate,
                                      std::int64_t shift = 0) {
  auto inverse = random_normal<float>(N, 4);
  for (float& x : inverse) x = 0.5f + std::abs(x);
  OnDevice<float> dx(ctx, N * D, shift), dw(ctx, random_normal<float>(D, 5), shift),
      x(ctx, random_normal<float>(N * D, 1), shift), w(ctx, random_normal<float>(D, 2)),
      dy(ctx, random_normal<float>(N * D, 3)), inverse_rms(ctx, inverse);
  rms_norm_backward<float>(ctx, dx, dw, dy, x, w, inverse_rms, N, D, D, accumulate);
  return together(dx.vector(), dw.vector());
}

// Sums over D and over N of terms of size 1, in another order than the CPU's.
TEST(RmsNormBackwardKernel, AgreesWithTheCpuWrittenAndAdded) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t D : kWidths)
      for (const bool accumulate : {false, true}) {
        SCOPED_TRACE(concat(N, " x ", D, accumulate ? ", added" : ""));
        against_cpu([&](Context& ctx) { return rms_norm_gradients(ctx, N, D, accumulate, D % 2); },
                    {2e-5, 1e-5});
      }
}

// Columns 3 .. 3+D of rows of D+7, in place forwards; the rest of a row stays.
TEST(RmsNormKernel, AgreesWithTheCpuOnColumnsOfAWiderMatrix) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t D : kWidths) {
      SCOPED_TRACE(concat(N, " x ", D));
      const std::int64_t ld = D + 7;
      against_cpu(
          [&](Context& ctx) {
            OnDevice<float> x(ctx, random_normal<float>(N * ld, 1)), y(ctx, random_normal<float>(N * ld, 1)),
                w(ctx, random_normal<float>(D, 2)), inverse(ctx, N), dy(ctx, random_normal<float>(N * ld, 3)),
                dx(ctx, random_normal<float>(N * ld, 4)), dw(ctx, D);
            rms_norm<float>(ctx, y + 3, inverse, y + 3, w, N, D, ld, 1e-2);
            rms_norm_backward<float>(ctx, dx + 3, dw, dy + 3, x + 3, w, inverse, N, D, ld, false);
            return together(y.vector(), together(dx.vector(), dw.vector()));
          },
          {1e-4, 1e-5});
    }
}

TEST(RmsNormBackwardKernel, SumsOverManyChunksOfRows) {
  // 4200 rows: 256 chunks of more than the least number of rows. sqrt(4200) terms' worth of rounding.
  against_cpu([&](Context& ctx) { return rms_norm_gradients(ctx, 4200, 5, true); }, {2e-4, 1e-5});
}

TEST(RmsNormBackwardKernel, NoRowsClearTheWeightGradientOrLeaveIt) {
  every_device([](Context& ctx) {
    OnDevice<float> written(ctx, 33), added(ctx, std::vector<float>(33, 3.f)),
        w(ctx, std::vector<float>(33, 1));
    rms_norm_backward<float>(ctx, nullptr, written, nullptr, nullptr, w, nullptr, 0, 33, 33, false);
    rms_norm_backward<float>(ctx, nullptr, added, nullptr, nullptr, w, nullptr, 0, 33, 33, true);
    EXPECT_TRUE(close(written.vector(), std::vector<float>(33, 0)));
    EXPECT_TRUE(close(added.vector(), std::vector<float>(33, 3)));
  });
}

TEST(EmbeddingKernel, CopiesTheRowsOfTheTable) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t D : kWidths)
      against_cpu([&](Context& ctx) {
        OnDevice<float> y(ctx, N * D, 1), table(ctx, random_normal<float>(37 * D, 1), 1);
        OnDevice<std::int32_t> id(ctx, random_below(N, 37, 2));
        embedding<float>(ctx, y, table, id, N, 37, D);
        return y.vector();
      });
}

// Numbers of very different size: another order of additions would give other bytes.
std::vector<float> embedding_gradient(Context& ctx, const Ints& ids, std::int64_t V, std::int64_t D,
                                      bool accumulate) {
  const auto N = static_cast<std::int64_t>(ids.size());
  auto values = random_normal<float>(N * D, 3);
  for (std::int64_t i = 0; i < N * D; ++i) values[i] *= static_cast<float>(1 << (i / D) % 20);
  OnDevice<float> dtable(ctx, random_normal<float>(V * D, 4), 1), dy(ctx, values, 1);
  OnDevice<std::int32_t> id(ctx, ids);
  embedding_backward<float>(ctx, dtable, dy, id, N, V, D, accumulate);
  return dtable.vector();
}

TEST(EmbeddingKernel, BackwardAddsInTheOrderOfTheRows) {
  for (const std::int64_t N : {0, 1, 33, 700})
    for (const std::int64_t D : kWidths)
      for (const std::int64_t V : {1, 40, 300})
        for (const bool accumulate : {false, true}) {
          SCOPED_TRACE(concat(N, " rows of ", D, " of ", V, accumulate ? ", added" : ""));
          const Ints ids = random_below(N, V, 5);
          against_cpu([&](Context& ctx) { return embedding_gradient(ctx, ids, V, D, accumulate); });
        }
}

TEST(EmbeddingKernel, BackwardWithOneIdForAll) {
  for (const std::int32_t only : {0, 17, 32})
    against_cpu([&](Context& ctx) { return embedding_gradient(ctx, Ints(600, only), 33, 32, false); });
}

TEST(EmbeddingKernel, AnIdOutsideTheVocabularyIsANaNRowWithoutAGradient) {
  every_device([](Context& ctx) {
    OnDevice<float> y(ctx, 4 * 3), table(ctx, std::vector<float>(2 * 3, 5.f)), dtable(ctx, 2 * 3);
    OnDevice<std::int32_t> id(ctx, Ints{0, -1, 2, 1});
    embedding<float>(ctx, y, table, id, 4, 2, 3);
    const auto rows = y.vector();
    for (int i = 0; i < 12; ++i) EXPECT_EQ(std::isnan(rows[i]), i / 3 == 1 || i / 3 == 2);
    OnDevice<float> dy(ctx, std::vector<float>{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
    embedding_backward<float>(ctx, dtable, dy, id, 4, 2, 3, false);
    EXPECT_TRUE(close(dtable.vector(), {1, 1, 1, 4, 4, 4}));
  });
}

std::vector<float> roped(Context& ctx, const RopeShape& s, const Ints& positions, std::int64_t shift) {
  OnDevice<float> x(ctx, random_normal<float>(s.N * s.ld, 1), shift);
  OnDevice<std::int32_t> position(ctx, positions);
  rope<float>(ctx, x, position, s);
  return x.vector();
}

constexpr Tolerance kOneTurn{1e-6, 1e-6};  // two products of numbers of order 1, fused or not

TEST(RopeKernel, TurnsEveryPairBothWays) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t W : {2, 30, 32, 128})
      for (const std::int64_t heads : {1, 3})
        for (const bool inverse : {false, true}) {
          SCOPED_TRACE(concat(N, " rows, ", heads, " heads of ", W, inverse ? ", back" : ""));
          const RopeShape s{.N = N, .heads = heads, .W = W, .ld = heads * W + 5, .inverse = inverse};
          const Ints positions = random_below(N, 129, 2);
          against_cpu([&](Context& ctx) { return roped(ctx, s, positions, heads % 2); }, kOneTurn);
        }
}

TEST(RopeKernel, FarPositionsAndAnotherTheta) {
  const Ints positions = {0, 1000000, 4095, 131071, 1};
  for (const double theta : {10000.0, 100.0})
    against_cpu(
        [&](Context& ctx) {
          return roped(ctx, {.N = 5, .heads = 2, .W = 32, .ld = 64, .theta = theta}, positions, 0);
        },
        kOneTurn);
}

struct Loss {
  std::vector<float> x;
  Ints target;
  std::int64_t V;
};

// loss, row_loss, dlogits; the latter also in the place of the logits, and the loss alone.
std::vector<float> losses(Context& ctx, const Loss& c) {
  const auto N = static_cast<std::int64_t>(c.target.size());
  OnDevice<float> loss(ctx, 1), alone(ctx, 1), row_loss(ctx, N), dlogits(ctx, N * c.V, 1), x(ctx, c.x, 1);
  OnDevice<std::int32_t> target(ctx, c.target);
  cross_entropy<float>(ctx, alone, nullptr, nullptr, x, target, N, c.V);
  cross_entropy<float>(ctx, loss, row_loss, dlogits, x, target, N, c.V);
  const auto apart = dlogits.vector();
  OnDevice<float> again(ctx, 1);
  cross_entropy<float>(ctx, again, nullptr, x, x, target, N, c.V);
  EXPECT_TRUE(same_bytes(again.vector(), loss.vector()));
  EXPECT_TRUE(same_bytes(x.vector(), apart)) << "in place of the logits";
  return together(loss.vector(), alone.vector(), row_loss.vector(), apart);
}

constexpr Tolerance kAnotherExp{2e-6, 1e-5};  // another exponential, sums in another order

TEST(CrossEntropyKernel, AgreesWithTheCpuWhereSomeRowsDoNotCount) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t V : {1, 31, 33, 129, 300}) {
      SCOPED_TRACE(concat(N, " x ", V));
      Loss c{random_normal<float>(N * V, 1), random_below(N, V, 2), V};
      for (std::int64_t n = 3; n < N; n += 5) c.target[n] = n % 2 ? -1 : -100;
      against_cpu([&](Context& ctx) { return losses(ctx, c); }, kAnotherExp);
    }
}

TEST(CrossEntropyKernel, ManyRows) {
  const Loss c{random_normal<float>(1500 * 8, 3), random_below(1500, 8, 4), 8};
  against_cpu([&](Context& ctx) { return losses(ctx, c); }, kAnotherExp);
}

TEST(CrossEntropyKernel, WhereNoRowCountsEverythingIsZero) {
  const Loss c{random_normal<float>(33 * 7, 5), Ints(33, -1), 7};
  against_cpu([&](Context& ctx) { return losses(ctx, c); });
}

TEST(CrossEntropyKernel, LargeLogitsDoNotOverflowAndNaNStaysInItsRow) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {1e30f, -1e30f, infinity, -infinity, kNaN}) {
    Loss c{random_normal<float>(5 * 33, 6), random_below(5, 33, 7), 33};
    c.x[2 * 33 + 12] = bad;
    c.target[4] = -1;
    SCOPED_TRACE(concat("a logit of ", bad));
    against_cpu([&](Context& ctx) { return losses(ctx, c); }, kAnotherExp);
  }
}

TEST(CrossEntropyKernel, ATargetBeyondTheVocabularyMakesTheLossNaN) {
  every_device([](Context& ctx) {
    OnDevice<float> loss(ctx, 1), row_loss(ctx, 2), x(ctx, std::vector<float>(2 * 7, 0));
    OnDevice<std::int32_t> target(ctx, Ints{7, 0});
    cross_entropy<float>(ctx, loss, row_loss, nullptr, x, target, 2, 7);
    EXPECT_TRUE(std::isnan(loss.vector()[0]));
    EXPECT_FALSE(std::isnan(row_loss.vector()[1]));
  });
}

}  // namespace
}  // namespace moe
