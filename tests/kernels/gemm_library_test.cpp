// Libraries behind the gemm contract: cuBLAS, which is asked in column-major terms and loaded late, and its stand-in on the
// emulated device.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "kernels/gemm/cublas.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe {
namespace {

using namespace testing;

std::vector<GemmShape> shapes() {
  std::vector<GemmShape> out;
  for (const Transpose a : {Transpose::no, Transpose::yes})
    for (const Transpose b : {Transpose::no, Transpose::yes})
      for (const std::int64_t M : {0, 1, 5, 33})
        for (const std::int64_t N : {0, 1, 7, 31})
          for (const std::int64_t K : {0, 1, 3, 32}) {
            GemmShape s = gemm_shape(M, N, K, a, b);
            out.push_back(s);
            s.lda += 3, s.ldb += 2, s.ldc += 1;  // rows apart
            s.alpha = 2, s.beta = -1;
            out.push_back(s);
          }
  return out;
}

struct Operands {
  explicit Operands(const GemmShape& s)
      : a(random_integers<float>((s.a == Transpose::no ? s.M : s.K) * s.lda + 1, 3, 1)),
        b(random_integers<float>((s.b == Transpose::no ? s.K : s.N) * s.ldb + 1, 3, 2)),
        c(random_integers<float>(s.M * s.ldc + 1, 3, 3)) {}
  std::vector<float> a, b, c;
};

std::vector<float> expected(const GemmShape& s, const Operands& o) {
  Context cpu;
  std::vector<float> c = o.c;
  gemm<float>.versions()[0].function(cpu, c.data(), o.a.data(), o.b.data(), s);
  return c;
}

// The definition of BLAS: c[i + j·ldc] = alpha Σ_l op(x)[i, l]·op(y)[l, j] + beta c, everything stored by columns.
void column_major_gemm(float* c, const float* x, const float* y, const detail::ColumnMajor& p, double alpha,
                       double beta) {
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l)
        sum += (p.transpose_first ? x[l + i * p.ld_first] : x[i + l * p.ld_first]) *
               (p.transpose_second ? y[j + l * p.ld_second] : y[l + j * p.ld_second]);
      float& out = c[i + j * p.ld_c];
      out = static_cast<float>(alpha * sum + (beta == 0 ? 0 : beta * out));
    }
}

TEST(GemmLibrary, ColumnMajorTermsMeanTheSameProduct) {
  for (const GemmShape& s : shapes()) {
    const Operands o(s);
    std::vector<float> c = o.c;
    column_major_gemm(c.data(), o.b.data(), o.a.data(), detail::column_major(s), s.alpha, s.beta);
    ASSERT_EQ(c, expected(s, o)) << s.M << " x " << s.N << " x " << s.K;
  }
}

TEST(GemmLibrary, EveryDevicesOwnChoiceAgreesWithTheTextbook) {
  for (const GemmShape& s : shapes()) {
    const Operands o(s);
    const std::vector<float> want = expected(s, o);
    each_device([&](Context& ctx) {
      OnDevice<float> a(ctx, o.a), b(ctx, o.b), c(ctx, o.c);
      gemm<float>(ctx, c, a, b, s);
      ASSERT_EQ(c.vector(), want) << s.M << " x " << s.N << " x " << s.K;
    });
  }
}

// Integers up to 3 are exact in bf16, so that rounding the operands changes nothing.
TEST(GemmLibrary, EveryDevicesOwnChoiceForBf16AgreesWithTheTextbook) {
  for (const GemmShape& s : shapes()) {
    const Operands o(s);
    const std::vector<float> want = expected(s, o);
    each_device([&](Context& ctx) {
      ctx.matrix_inputs = DType::bf16;
      OnDevice<float> a(ctx, o.a), b(ctx, o.b), c(ctx, o.c);
      gemm<float>(ctx, c, a, b, s);
      ASSERT_EQ(c.vector(), want) << s.M << " x " << s.N << " x " << s.K;
    });
  }
}

// Groups of any size, empty ones among them, that share C, A and B.
TEST(GemmLibrary, GroupedProductsAgreeWithSingleOnes) {
  for (const Transpose a : {Transpose::no, Transpose::yes})
    for (const double beta : {0.0, 1.0}) {
      std::vector<GemmShape> sizes;
      for (const std::int64_t rows : {5, 0, 33, 1, 127}) {
        sizes.push_back(a == Transpose::no ? gemm_shape(rows, 31, 7, a, Transpose::yes, beta)
                                           : gemm_shape(9, 31, rows, a, Transpose::no, beta));
      }
      each_device([&](Context& ctx) {
        std::vector<Operands> operands(sizes.begin(), sizes.end());
        std::vector<std::unique_ptr<OnDevice<float>>> memory;
        const auto on_device = [&](const std::vector<float>& values) -> float* {
          return *memory.emplace_back(std::make_unique<OnDevice<float>>(ctx, values));
        };
        std::vector<GemmGroup> groups;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
          const float *left = on_device(operands[i].a), *right = on_device(operands[i].b);
          groups.push_back({on_device(operands[i].c), left, right, sizes[i]});
        }
        grouped_gemm(ctx, groups);
        for (std::size_t i = 0; i < sizes.size(); ++i)
          ASSERT_EQ(memory[3 * i + 2]->vector(), expected(sizes[i], operands[i])) << i;
      });
    }
}

#ifdef MOE_HAVE_EMULATED
TEST(GemmLibrary, TheEmulatedDeviceTakesTheLibrary) {
  const Version<Gemm<float>>* chosen = nullptr;
  for (const auto& version : gemm<float>.versions())
    if (version.device == DeviceKind::emulated && version.inputs == DType::f32) chosen = &version;
  ASSERT_NE(chosen, nullptr);
  EXPECT_STREQ(chosen->name, "library");
}
#endif

#ifdef MOE_HAVE_CUBLAS
TEST(GemmLibrary, CublasIsFoundWithAllThatWeCall) {
  EXPECT_EQ(detail::why_no_cublas(), "");
}
#endif

bool loaded(const std::string& library) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(library) != std::string::npos) return true;
  return false;
}

// In a process of its own, where nothing else has run: does a product on the CPU leave all GPU libraries alone?
[[noreturn]] void multiply_and_leave([[maybe_unused]] bool ask_for_cublas) {
  Context cpu;
  std::vector<float> a(64, 1), c(64);
  gemm<float>(cpu, c.data(), a.data(), a.data(), gemm_shape(8, 8, 8));
#ifdef MOE_HAVE_CUBLAS
  if (ask_for_cublas) detail::why_no_cublas();
#endif
  for (const char* name : {"libcublas", "libnccl", "libcuda."})
    if (loaded(name)) std::exit(7);
  std::exit(loaded("libc.so") ? 0 : 9);
}

// cuBLAS and NCCL cost 0.1 s and 215 MB a start where they are linked.
TEST(GemmLibraryDeathTest, TheCpuLoadsNeitherCublasNorNccl) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(multiply_and_leave(false), ::testing::ExitedWithCode(0), "");
#ifdef MOE_HAVE_CUBLAS
  EXPECT_EXIT(multiply_and_leave(true), ::testing::ExitedWithCode(7), "") << "this test can see cuBLAS";
#endif
}

}  // namespace
}  // namespace moe
