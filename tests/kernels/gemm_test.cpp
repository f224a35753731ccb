#include "kernels/gemm/gemm.hpp"

#include <omp.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "kernels/gemm/gemm_log.hpp"
#include "tests/support/numeric.hpp"

namespace moe {
namespace {

using namespace moe::testing;

// A stored matrix whose rows stand `ld` apart; the padding holds NaN, so that whoever reads it is found out.
template <class T>
std::vector<T> stored(std::int64_t rows, std::int64_t columns, std::int64_t ld, std::uint64_t seed) {
  const std::vector<T> values = random_integers<T>(rows * columns, 4, seed);
  std::vector<T> memory(rows * ld, std::numeric_limits<T>::quiet_NaN());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) memory[r * ld + c] = values[r * columns + c];
  return memory;
}

// Operands of small integers: every sum is exact, whatever its order.
template <class T>
struct Problem {
  explicit Problem(const GemmShape& shape)
      : s(shape),
        a(s.a == Transpose::no ? stored<T>(s.M, s.K, s.lda, 1) : stored<T>(s.K, s.M, s.lda, 1)),
        b(s.b == Transpose::no ? stored<T>(s.K, s.N, s.ldb, 2) : stored<T>(s.N, s.K, s.ldb, 2)),
        c(random_integers<T>(s.M * s.N, 4, 3)) {
    for (std::int64_t m = 0; m < s.M; ++m)
      for (std::int64_t n = 0; n < s.N; ++n) expected.push_back(element(m, n));
  }

  T element(std::int64_t m, std::int64_t n) const {
    T sum = 0;
    for (std::int64_t k = 0; k < s.K; ++k)
      sum += (s.a == Transpose::no ? a[m * s.lda + k] : a[k * s.lda + m]) *
             (s.b == Transpose::no ? b[k * s.ldb + n] : b[n * s.ldb + k]);
    return static_cast<T>(s.alpha) * sum + static_cast<T>(s.beta) * c[m * s.N + n];
  }

  GemmShape s;
  std::vector<T> a, b, c, expected;  // c and expected (M, N), dense
};

std::string describe(const GemmShape& s) {
  return concat("M ", s.M, " N ", s.N, " K ", s.K, s.a == Transpose::yes ? " A^T" : "",
                s.b == Transpose::yes ? " B^T" : "", " alpha ", s.alpha, " beta ", s.beta);
}

template <class T>
void expect_product(Context& ctx, Gemm<T>* function, const Problem<T>& p) {
  const GemmShape& s = p.s;
  Output<T> c(s.M * s.ldc);
  if (s.beta != 0)
    for (std::int64_t i = 0; i < s.M * s.N; ++i) c.data()[i / s.N * s.ldc + i % s.N] = p.c[i];
  function(ctx, c, p.a.data(), p.b.data(), s);
  std::vector<T> actual;
  for (std::int64_t m = 0; m < s.M; ++m) {
    for (std::int64_t n = 0; n < s.N; ++n) actual.push_back(c.data()[m * s.ldc + n]);
    for (std::int64_t n = s.N; n < s.ldc; ++n)
      ASSERT_TRUE(std::isnan(c.data()[m * s.ldc + n])) << "padding of row " << m;
  }
  EXPECT_TRUE(close(actual, p.expected));
}

template <class T>
void expect_all(const GemmShape& shape) {
  SCOPED_TRACE(describe(shape));
  const Problem<T> problem(shape);
  for (const auto& version : versions_here(gemm<T>))
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(concat(version.name, " on ", threads, " threads"));
      Context ctx(threads);
      expect_product<T>(ctx, version.function, problem);
    }
  SCOPED_TRACE("gemm_tile");
  Context ctx;
  expect_product<T>(ctx, gemm_tile<T>, problem);
}

constexpr Transpose kBoth[] = {Transpose::no, Transpose::yes};

template <class T>
struct GemmTest : ::testing::Test {};
TYPED_TEST_SUITE(GemmTest, Floats);

TYPED_TEST(GemmTest, IsExactOnIntegersForEveryTransposeAndSize) {
  constexpr std::int64_t sizes[] = {0, 1, 31, 33, 129};
  for (const std::int64_t M : sizes)
    for (const std::int64_t N : sizes)
      for (const std::int64_t K : sizes)
        for (const Transpose a : kBoth)
          for (const Transpose b : kBoth) expect_all<TypeParam>(gemm_shape(M, N, K, a, b));
}

TYPED_TEST(GemmTest, TakesEveryAlphaBetaAndLeadingDimension) {
  for (const auto [M, N, K] : {std::array{33, 31, 32}, {1, 129, 7}, {129, 1, 7}, {5, 4, 0}})
    for (const Transpose a : kBoth)
      for (const Transpose b : kBoth)
        for (const double alpha : {1.0, -2.0, 0.5})
          for (const double beta : {0.0, 1.0, -3.0}) {
            GemmShape s = gemm_shape(M, N, K, a, b, beta);
            s.alpha = alpha;
            s.lda += 3;
            s.ldb += 1;
            s.ldc += 5;
            expect_all<TypeParam>(s);
          }
}

// Tiles of 256, 48 and 16 rows, with a ragged last one.
TYPED_TEST(GemmTest, CutsTallProductsIntoTiles) {
  for (const Transpose a : kBoth) {
    expect_all<TypeParam>(gemm_shape(600, 5, 7, a));
    expect_all<TypeParam>(gemm_shape(257, 200, 300, a, Transpose::yes, 1));
    expect_all<TypeParam>(gemm_shape(40, 513, 511, a));
  }
}

TYPED_TEST(GemmTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  const GemmShape s = gemm_shape(301, 129, 257);
  const std::vector<T> a = random_normal<T>(s.M * s.K, 1), b = random_normal<T>(s.K * s.N, 2);
  for (const auto& version : versions_here(gemm<T>)) {
    SCOPED_TRACE(version.name);
    std::vector<T> first;
    for (const int threads : kThreadCounts) {
      Context ctx(threads);
      Output<T> c(s.M * s.N);
      version.function(ctx, c, a.data(), b.data(), s);
      if (first.empty()) first = c.vector();
      EXPECT_TRUE(same_bytes(c.vector(), first)) << threads << " threads";
    }
  }
}

TYPED_TEST(GemmTest, PropagatesNaN) {
  using T = TypeParam;
  const std::vector<T> a = {1, std::numeric_limits<T>::quiet_NaN(), 3, 4}, b = {0, 0, 0, 0};
  for (const auto& version : versions_here(gemm<T>)) {
    Context ctx;
    Output<T> c(4);
    version.function(ctx, c, a.data(), b.data(), gemm_shape(2, 2, 2));
    EXPECT_TRUE(std::isnan(c.data()[0]) && std::isnan(c.data()[1])) << version.name;
    EXPECT_TRUE(c.data()[2] == 0 && c.data()[3] == 0) << version.name;
  }
}

TYPED_TEST(GemmTest, LogHoldsTheWorkAndReplaysIt) {
  using T = TypeParam;
  const GemmShape shapes[] = {gemm_shape(300, 64, 200), gemm_shape(33, 7, 5, Transpose::yes),
                              gemm_shape(0, 4, 4)};
  const std::vector<T> a = random_integers<T>(300 * 200, 4, 1), b = random_integers<T>(200 * 64, 4, 2);
  std::vector<T> c(300 * 64, -99), d(33 * 7, -99), e(33 * 7, -99);
  Context ctx(2);
  GemmLog log(2);
  ctx.gemm_log = &log;
  gemm<T>(ctx, c.data(), a.data(), b.data(), shapes[0]);
  gemm<T>(ctx, d.data(), a.data(), b.data(), shapes[1]);
  gemm<T>(ctx, d.data(), a.data(), b.data(), shapes[2]);
  gemm_tile<T>(ctx, e.data(), a.data(), b.data(), shapes[1]);
  EXPECT_EQ(log.flops(), 2.0 * 300 * 64 * 200 + 2 * 2.0 * 33 * 7 * 5);
  EXPECT_GT(log.size(), 3U) << "the tall product has several tiles";
  EXPECT_THROW(log.replay(ctx), Error) << "would log itself";
  ctx.gemm_log = nullptr;

  const std::vector<T> expected_c = c, expected_d = d;
  for (std::vector<T>* output : {&c, &d, &e}) std::fill(output->begin(), output->end(), T(-99));
  log.replay(ctx);
  EXPECT_TRUE(close(c, expected_c));
  EXPECT_TRUE(close(d, expected_d));
  EXPECT_TRUE(close(e, expected_d));
  log.clear();
  EXPECT_EQ(log.size(), 0U);
  EXPECT_EQ(log.flops(), 0);
}

// Operands of 12 bits are rounded to 8, ties to the even one; the sums are exact again.
TEST(Gemm, Bf16RoundsOperandsAndNothingElse) {
  GemmShape s = gemm_shape(33, 40, 70, Transpose::yes, Transpose::no, 2);
  s.alpha = 0.5;
  s.lda += 2, s.ldb += 1, s.ldc += 3;
  const auto a = random_integers<float>(s.K * s.lda, 2000, 1), b = random_integers<float>(s.K * s.ldb, 4, 2);
  const auto rounded = [](float x) {
    const float step = std::ldexp(1.f, std::max(0, std::ilogb(std::max(1.f, std::abs(x))) - 7));
    return std::nearbyint(x / step) * step;
  };
  EXPECT_EQ(rounded(257), 256);
  EXPECT_EQ(rounded(259), 260);
  std::vector<float> c(s.M * s.ldc, 3), expected = c;
  for (std::int64_t m = 0; m < s.M; ++m)
    for (std::int64_t n = 0; n < s.N; ++n) {
      float sum = 0;
      for (std::int64_t k = 0; k < s.K; ++k) sum += rounded(a[k * s.lda + m]) * b[k * s.ldb + n];
      expected[m * s.ldc + n] = sum / 2 + 6;
    }
  Context ctx(2);
  ctx.matrix_inputs = DType::bf16;
  gemm<float>(ctx, c.data(), a.data(), b.data(), s);
  EXPECT_TRUE(close(c, expected));
}

// A library that starts its own threads cuts its sums by their number. libgomp's pool would grow to eight here.
TEST(Gemm, LibraryStartsNoThreadsOfItsOwn) {
  if (!std::filesystem::exists("/proc/self/task")) GTEST_SKIP() << "threads are counted in /proc";
  const int before = omp_get_max_threads();
  const GemmShape s = gemm_shape(512, 512, 512);
  const std::vector<float> a = random_normal<float>(512 * 512, 1), b = random_normal<float>(512 * 512, 2);
  Output<float> alone(512 * 512), among(512 * 512);
  Context ctx;
  omp_set_num_threads(1);
  gemm_tile<float>(ctx, alone, a.data(), b.data(), s);
  omp_set_num_threads(8);
  gemm_tile<float>(ctx, among, a.data(), b.data(), s);
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  EXPECT_LT(std::distance(begin(tasks), end(tasks)), 8);
  EXPECT_EQ(omp_get_max_threads(), 8) << "the caller's setting comes back";
  EXPECT_TRUE(same_bytes(among.span(), alone.span()));
  omp_set_num_threads(before);
}

TEST(Gemm, NamesItsLibraryWithAVersion) {
  const std::string name = gemm_library();
  EXPECT_TRUE(name.starts_with("oneDNN ") || name.starts_with("Eigen ")) << name;
  EXPECT_TRUE(std::isdigit(static_cast<unsigned char>(name.at(name.find(' ') + 1)))) << name;
}

}  // namespace
}  // namespace moe
