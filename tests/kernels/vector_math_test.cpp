#include "kernels/base/vector_math.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace moe {
namespace {

TEST(ExpFast, StaysWithinTwoUlpOverTheWholeRange) {
  double worst = 0, where = 0;
  for (std::int64_t i = -87336; i <= 88722; ++i)
    for (const double offset : {0.0, 0.000123, 0.000777}) {
      const auto x = static_cast<float>(i * 1e-3 + offset);
      const double exact = std::exp(static_cast<double>(x));
      int exponent;
      std::frexp(exact, &exponent);
      const double ulps = std::abs(exp_fast(x) - exact) / std::ldexp(1.0, exponent - 24);
      if (!(ulps <= worst)) worst = ulps, where = x;
    }
  EXPECT_LE(worst, 2) << "at " << where;
}

TEST(ExpFast, IsExactAtZeroAndTinyNumbers) {
  for (const float x : {0.f, -0.f, 1e-10f, -1e-10f, std::numeric_limits<float>::denorm_min()})
    EXPECT_EQ(exp_fast(x), 1.f);
}

TEST(ExpFast, EndsInZeroAndInfinity) {
  const float infinity = std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();
  for (const float x : {-88.f, -100.f, -103.9f, -1e10f, -largest, -infinity})
    EXPECT_EQ(exp_fast(x), 0.f) << x;
  for (const float x : {88.73f, 89.f, 100.f, 1e10f, largest, infinity}) EXPECT_EQ(exp_fast(x), infinity) << x;
  EXPECT_GE(exp_fast(-87.3365f), std::numeric_limits<float>::min());
  EXPECT_NEAR(exp_fast(88.7228f) / std::exp(88.7228f), 1, 1e-6);
}

TEST(ExpFast, KeepsEveryKindOfNaN) {
  EXPECT_TRUE(std::isnan(exp_fast(std::nan(""))));
  for (std::uint32_t payload = 1; payload < 0x800000; payload += 4099)
    for (const std::uint32_t sign : {0u, 0x80000000u})
      ASSERT_TRUE(std::isnan(exp_fast(std::bit_cast<float>(sign | 0x7f800000 | payload)))) << payload;
}

TEST(ExpOfNonpositive, HasTheBitsOfExpFast) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  for (std::uint32_t i = 0; i <= 0x7f800000; i += 997) {  // every kind of number from -0 to -infinity
    const float x = std::bit_cast<float>(i | 0x80000000u);
    ASSERT_EQ(bits(detail::exp_of_nonpositive<std::uint32_t>(x)), bits(exp_fast(x))) << x;
  }
  for (float x = -87.3361f; x > -87.3371f; x = std::nextafter(x, -100.f))
    ASSERT_EQ(bits(detail::exp_of_nonpositive<std::uint32_t>(x)), bits(exp_fast(x))) << x;
  EXPECT_EQ(detail::exp_of_nonpositive<std::uint32_t>(-std::numeric_limits<float>::infinity()), 0.f);
  EXPECT_TRUE(std::isnan(detail::exp_of_nonpositive<std::uint32_t>(std::nanf(""))));
}

TEST(Sigmoid, HasItsLimitsAndItsSymmetry) {
  EXPECT_EQ(sigmoid(0.f), 0.5f);
  EXPECT_EQ(sigmoid(1000.f), 1.f);
  EXPECT_EQ(sigmoid(-1000.f), 0.f);
  EXPECT_TRUE(std::isnan(sigmoid(std::nanf(""))));
  for (const double x : {0.1, 1.0, 5.0, 20.0}) {
    EXPECT_NEAR(sigmoid(x) + sigmoid(-x), 1, 1e-15);
    EXPECT_NEAR(sigmoid(static_cast<float>(x)), 1 / (1 + std::exp(-x)), 1e-7);
  }
}

}  // namespace
}  // namespace moe
