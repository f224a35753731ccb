#include <gtest/gtest.h>
#include "kernels/base/vector_math.hpp"
TEST(ExpFast, x) { EXPECT_NEAR(moe::exp_fast(1.f), 2.7182818f, 1e-6); }
