// elementwise and adamw: their .cu versions against the CPU's.
#include <limits>

#include "kernels/adamw/adamw.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "tests/simt/against_cpu.hpp"

namespace moe {
namespace {

using namespace testing;

constexpr std::int64_t kSizes[] = {0,   1,   31,   32,   33,
                                   127, 129, 2048, 2049, 10001};  // a block has 2048 elements
constexpr std::int64_t kShifts[] = {0, 1};

// Calls body(n, shift) for every size, aligned and not.
template <class Body>
void every_size(Body&& body) {
  for (const std::int64_t n : kSizes)
    for (const std::int64_t shift : kShifts) {
      SCOPED_TRACE(concat(n, " elements, shifted by ", shift));
      body(n, shift);
    }
}

template <class T>
void expect_filled(std::int64_t n, std::int64_t shift) {
  against_cpu([&](Context& ctx) {
    OnDevice<T> y(ctx, n, shift);
    fill<T>(ctx, y, 0.1, n);
    return y.vector();
  });
}

TEST(ElementwiseKernels, FillWritesTheValueEverywhere) {
  every_size([](std::int64_t n, std::int64_t shift) {
    expect_filled<float>(n, shift);
    expect_filled<double>(n, shift);
  });
}

TEST(ElementwiseKernels, AddIsExactAlsoOntoEitherOperand) {
  every_size([](std::int64_t n, std::int64_t shift) {
    const auto a = random_normal<float>(n, 1), b = random_normal<float>(n, 2);
    against_cpu([&](Context& ctx) {
      OnDevice<float> y(ctx, n, shift), x(ctx, a, shift), z(ctx, b);
      add<float>(ctx, y, x, z, n);
      const auto apart = y.vector();
      add<float>(ctx, z, x, z, n);
      EXPECT_TRUE(same_bytes(z.vector(), apart));
      OnDevice<float> again(ctx, b);
      add<float>(ctx, x, x, again, n);
      EXPECT_TRUE(same_bytes(x.vector(), apart));
      return apart;
    });
  });
}

TEST(ElementwiseKernels, RoundMantissaIsTheCpusBitForBit) {
  every_size([](std::int64_t n, std::int64_t shift) {
    const auto a = random_normal<float>(n, 3);
    for (const int bits : {3, 7, 23})
      against_cpu([&](Context& ctx) {
        OnDevice<float> y(ctx, n, shift), x(ctx, a, shift);
        round_mantissa<float>(ctx, y, x, bits, n);
        return y.vector();
      });
  });
}

TEST(ElementwiseKernels, ScaleByReadsTheFactorOnTheDevice) {
  every_size([](std::int64_t n, std::int64_t shift) {
    auto values = random_normal<float>(n, 3);
    if (n > 1) values[1] = std::numeric_limits<float>::quiet_NaN();
    for (const float by : {1.f, -0.3f, 0.f})
      against_cpu([&](Context& ctx) {
        OnDevice<float> y(ctx, n, shift), x(ctx, values), factor(ctx, std::vector<float>{by});
        scale_by<float>(ctx, y, x, factor, n);
        const auto apart = y.vector();
        scale_by<float>(ctx, x, x, factor, n);
        EXPECT_TRUE(close_or_both_nan(x.vector(), apart, kExact));  // a GPU's product has a NaN of its own
        return apart;
      });
  });
}

// In double to the last step, where two mathematical libraries may differ by one rounding.
TEST(ElementwiseKernels, FillNormalDrawsTheNumbersOfTheCpu) {
  const RngKey key{.seed = 0x123456789abcdef, .purpose = Purpose::init, .layer = 3, .step = 7};
  every_size([&](std::int64_t n, std::int64_t shift) {
    against_cpu(
        [&](Context& ctx) {
          OnDevice<float> y(ctx, n, shift);
          fill_normal<float>(ctx, y, 0.02, key, n);
          return y.vector();
        },
        {1e-12, 1.2e-7});
  });
}

TEST(ElementwiseKernels, AddSquaresWritesOrAddsToWhatIsThere) {
  for (const std::int64_t n : {0, 1, 31, 33, 129, 4096, 4097, 70001}) {  // a partial sum has 4096 elements
    SCOPED_TRACE(concat(n, " elements"));
    const auto integers = random_integers<float>(n, 9, 4), reals = random_normal<float>(n, 5);
    const auto run = [&](const std::vector<float>& x, bool accumulate) {
      return [&x, n, accumulate](Context& ctx) {
        OnDevice<double> sum(ctx, std::vector<double>{7});
        OnDevice<float> values(ctx, x, 1);
        add_squares<float>(ctx, sum, values, n, accumulate);
        return sum.vector();
      };
    };
    for (const bool accumulate : {false, true}) {
      against_cpu(run(integers, accumulate));
      against_cpu(run(reals, accumulate), {0, 1e-13});  // n roundings of double
    }
  }
}

// More than 1024 partial sums would be needed: they grow.
TEST(ElementwiseKernels, AddSquaresOfManyElements) {
  const std::int64_t n = 4096 * 1024 + 33;
  const std::vector<float> x(n, 3);
  Context ctx({.kind = DeviceKind::emulated}, 2);
  OnDevice<double> sum(ctx, std::vector<double>{0});
  OnDevice<float> values(ctx, x);
  add_squares<float>(ctx, sum, values, n, true);
  EXPECT_EQ(sum.vector()[0], 9.0 * static_cast<double>(n));
}

TEST(ElementwiseKernels, AddSquaresShowsNaNAndDoesNotOverflow) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 3e38f})
    against_cpu([&](Context& ctx) {
      std::vector<float> x(5000, 0.f);
      x[4999] = bad;
      OnDevice<double> sum(ctx, std::vector<double>{0});
      OnDevice<float> values(ctx, x);
      add_squares<float>(ctx, sum, values, 5000, true);
      return sum.vector();
    });
}

// Value, m and v after three steps.
std::vector<float> three_steps(Context& ctx, AdamWSettings settings, std::int64_t n, std::int64_t shift,
                               double squared_norm) {
  OnDevice<float> value(ctx, random_normal<float>(n, 1), shift), m(ctx, std::vector<float>(n), shift),
      v(ctx, std::vector<float>(n));
  OnDevice<double> norm(ctx, std::vector<double>{squared_norm});
  for (settings.step = 1; settings.step <= 3; ++settings.step) {
    OnDevice<float> g(ctx, random_normal<float>(n, 10 + settings.step), shift);
    adamw<float>(ctx, value, m, v, g, settings.max_norm > 0 ? norm.data() : nullptr, settings, n);
  }
  return together(value.vector(), m.vector(), v.vector());
}

constexpr Tolerance kFewRoundings{1e-6, 1e-6};  // the compilers fuse other multiplications with additions

TEST(AdamWKernel, FollowsTheCpuForSeveralSteps) {
  every_size([](std::int64_t n, std::int64_t shift) {
    against_cpu(
        [&](Context& ctx) {
          return three_steps(ctx, {.learning_rate = 0.01, .weight_decay = 0.1}, n, shift, 0);
        },
        kFewRoundings);
  });
}

TEST(AdamWKernel, ClipsALongGradientAndLeavesAShortOneAlone) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double squared_norm : {1e4, 0.25, 0.0, infinity, std::nan("")})
    against_cpu(
        [&](Context& ctx) {
          return three_steps(ctx, {.learning_rate = 0.01, .weight_decay = 0.1, .max_norm = 1}, 129, 0,
                             squared_norm);
        },
        kFewRoundings);
}

}  // namespace
}  // namespace moe
