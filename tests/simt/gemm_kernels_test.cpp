// Matrix products on the device against three loops: small integers, so that every sum is exact.
#include "kernels/gemm/gemm.hpp"

#include "tests/simt/device_versions.hpp"

namespace moe {
namespace {

using namespace testing;

// A stored matrix whose rows stand `ld` apart, NaN between them.
std::vector<float> stored(std::int64_t rows, std::int64_t columns, std::int64_t ld, std::uint64_t seed) {
  const auto values = random_integers<float>(rows * columns, 4, seed);
  std::vector<float> memory(rows * ld, std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) memory[r * ld + c] = values[r * columns + c];
  return memory;
}

struct Problem {
  explicit Problem(const GemmShape& shape)
      : s(shape),
        a(s.a == Transpose::no ? stored(s.M, s.K, s.lda, 1) : stored(s.K, s.M, s.lda, 1)),
        b(s.b == Transpose::no ? stored(s.K, s.N, s.ldb, 2) : stored(s.N, s.K, s.ldb, 2)),
        c(stored(s.M, s.N, s.ldc, 3)),
        expected(c) {
    for (std::int64_t m = 0; m < s.M; ++m)
      for (std::int64_t n = 0; n < s.N; ++n) {
        float& out = expected[m * s.ldc + n];
        out = static_cast<float>(s.alpha * sum(m, n) + s.beta * out);
      }
  }
  double sum(std::int64_t m, std::int64_t n) const {
    double sum = 0;
    for (std::int64_t k = 0; k < s.K; ++k)
      sum += static_cast<double>(s.a == Transpose::no ? a[m * s.lda + k] : a[k * s.lda + m]) *
             (s.b == Transpose::no ? b[k * s.ldb + n] : b[n * s.ldb + k]);
    return sum;
  }
  GemmShape s;
  std::vector<float> a, b, c, expected;  // c and expected (M, ldc)
};

// `shift` moves the operands off the alignment of an allocation.
void expect_product(const GemmShape& s, std::int64_t shift = 0, DType inputs = DType::f32) {
  SCOPED_TRACE(concat("M ", s.M, " N ", s.N, " K ", s.K, s.a == Transpose::yes ? " A^T" : "",
                      s.b == Transpose::yes ? " B^T" : "", " beta ", s.beta, " shift ", shift));
  const Problem p(s);
  each_device_version(
      gemm<float>, inputs,
      [&](Gemm<float>& function, Context& ctx) {
        OnDevice<float> a(ctx, p.a, shift), b(ctx, p.b, shift), c(ctx, s.M * s.ldc, shift);
        if (s.beta != 0) copy_to_device(ctx, c, p.c.data(), p.c.size() * sizeof(float));
        function(ctx, c, a, b, s);
        return c.vector();
      },
      [&](const std::vector<float>& actual) {
        for (std::size_t i = 0; i < actual.size(); ++i)  // columns, then the padding of a row
          if (static_cast<std::int64_t>(i) % s.ldc < s.N)
            ASSERT_EQ(actual[i], p.expected[i]) << "row " << i / s.ldc << " column " << i % s.ldc;
          else
            ASSERT_TRUE(std::isnan(actual[i])) << "padding of row " << i / s.ldc;
      });
}

constexpr Transpose kBoth[] = {Transpose::no, Transpose::yes};
constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 63, 64, 65, 127, 129};

// Each size in each dimension, beside others that are no multiple of anything.
void expect_all_sizes(DType inputs) {
  for (const Transpose a : kBoth)
    for (const Transpose b : kBoth)
      for (const std::int64_t size : kSizes) {
        expect_product(gemm_shape(size, 33, 17, a, b), 0, inputs);
        expect_product(gemm_shape(33, size, 17, a, b), 0, inputs);
        expect_product(gemm_shape(33, 65, size, a, b), 0, inputs);
      }
}

void expect_all_views(DType inputs) {
  for (const Transpose a : kBoth)
    for (const Transpose b : kBoth)
      for (const std::int64_t shift : {0, 1}) {
        expect_product(gemm_shape(64, 64, 64, a, b), shift, inputs);
        GemmShape s = gemm_shape(36, 68, 20, a, b, -2);
        s.alpha = 0.5;
        s.lda += 3, s.ldb += 1, s.ldc += 5;
        expect_product(s, shift, inputs);
        s.lda += 1, s.ldb += 3, s.ldc += 3;  // multiples of four again
        expect_product(s, shift, inputs);
      }
}

TEST(GemmKernels, AreExactOnIntegersForEveryTransposeAndSize) {
  expect_all_sizes(DType::f32);
}
TEST(GemmKernels, TakeEveryAlphaBetaLeadingDimensionAndAlignment) {
  expect_all_views(DType::f32);
}

void expect_same_bytes(DType inputs) {
  const GemmShape s = gemm_shape(130, 70, 99);
  const auto a = random_normal<float>(s.M * s.K, 1), b = random_normal<float>(s.K * s.N, 2);
  each_device_version(
      gemm<float>, inputs,
      [&](Gemm<float>& function, Context& ctx) {
        OnDevice<float> x(ctx, a), y(ctx, b), c(ctx, s.M * s.N);
        function(ctx, c, x, y, s);
        return c.vector();
      },
      [](const std::vector<float>&) {});
}
TEST(GemmKernels, GiveTheSameBytesInEveryOrder) {
  expect_same_bytes(DType::f32);
}

// Integers of up to 8 bits are bf16 numbers: the same products, exact again.
TEST(GemmKernels, Bf16ProductsOfSmallIntegersAreExact) {
  expect_all_sizes(DType::bf16);
}
TEST(GemmKernels, Bf16ProductsTakeEveryAlphaBetaLeadingDimensionAndAlignment) {
  expect_all_views(DType::bf16);
}
TEST(GemmKernels, Bf16ProductsGiveTheSameBytesInEveryOrder) {
  expect_same_bytes(DType::bf16);
}

// Operands of 12 bits lose some on their way in, by rounding to even; the sums lose nothing.
TEST(GemmKernels, Bf16ProductsRoundTheirOperandsAsTheCpuDoes) {
  const GemmShape s = gemm_shape(33, 40, 70, Transpose::no, Transpose::yes);
  const auto a = random_integers<float>(s.M * s.K, 2000, 1), b = random_integers<float>(s.N * s.K, 4, 2);
  Context cpu;
  cpu.matrix_inputs = DType::bf16;
  std::vector<float> expected(s.M * s.N), exact(s.M * s.N);
  gemm<float>(cpu, expected.data(), a.data(), b.data(), s);
  cpu.matrix_inputs = DType::f32;
  gemm<float>(cpu, exact.data(), a.data(), b.data(), s);
  ASSERT_NE(expected, exact);
  each_device_version(
      gemm<float>, DType::bf16,
      [&](Gemm<float>& function, Context& ctx) {
        OnDevice<float> x(ctx, a), y(ctx, b), c(ctx, s.M * s.N);
        function(ctx, c, x, y, s);
        return c.vector();
      },
      [&](const std::vector<float>& actual) { EXPECT_TRUE(close(actual, expected)); });
}

// A device that is too old for tensor cores computes in f32 rather than not at all.
TEST(GemmKernels, OlderDevicesPassOverTensorCores) {
  const GemmShape s = gemm_shape(5, 4, 3);
  const auto a = random_normal<float>(s.M * s.K, 1), b = random_normal<float>(s.K * s.N, 2);
  every_device([&](Context& ctx) {
    if (ctx.device.kind == DeviceKind::cuda) return;
    OnDevice<float> x(ctx, a), y(ctx, b), plain(ctx, s.M * s.N), old(ctx, s.M * s.N), young(ctx, s.M * s.N);
    ctx.device.sm = 75;
    gemm<float>(ctx, plain, x, y, s);
    ctx.matrix_inputs = DType::bf16;
    gemm<float>(ctx, old, x, y, s);
    ctx.device.sm = 80;
    gemm<float>(ctx, young, x, y, s);
    EXPECT_TRUE(same_bytes(old.vector(), plain.vector()));
    EXPECT_FALSE(same_bytes(young.vector(), plain.vector()));
  });
}

}  // namespace
}  // namespace moe
