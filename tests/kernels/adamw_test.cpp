#include "kernels/adamw/adamw.hpp"

#include <cmath>
#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

// One parameter, one step, in the order of the paper's algorithm 2.
struct Reference {
  double value, m = 0, v = 0;
  void step(double g, double clip, const AdamWSettings& s) {
    g *= clip;
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(s.beta1, s.step)), v_hat = v / (1 - std::pow(s.beta2, s.step));
    value -= s.learning_rate * s.weight_decay * value;
    value -= s.learning_rate * m_hat / (std::sqrt(v_hat) + s.epsilon);
  }
};

template <class T>
class AdamWTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(AdamWTest, Types);

// Six steps with a new gradient each; value, m and v against the reference.
template <class T>
void expect_reference(AdamWSettings settings, std::int64_t n, double squared_norm) {
  SCOPED_TRACE(concat(n, " parameters"));
  const auto start = random_normal<T>(n, 1);
  const double norm = std::sqrt(squared_norm) + 1e-6;
  const double clip = settings.max_norm > 0 ? std::min(1.0, settings.max_norm / norm) : 1;
  std::vector<Reference> reference;
  for (const T x : start) reference.push_back({.value = x});
  for (settings.step = 1; settings.step <= 6; ++settings.step) {
    const auto g = random_normal<T>(n, 10 + settings.step);
    for (std::int64_t i = 0; i < n; ++i) reference[i].step(g[i], clip, settings);
  }
  std::vector<double> expected;
  for (const Reference& r : reference) expected.insert(expected.end(), {r.value, r.m, r.v});
  each_version(
      adamw<T>,
      [&](AdamW<T>& f, Context& ctx) {
        Output<T> value(n), m(n), v(n);
        std::copy(start.begin(), start.end(), value.data());
        std::fill_n(m.data(), n, T(0));
        std::fill_n(v.data(), n, T(0));
        for (settings.step = 1; settings.step <= 6; ++settings.step) {
          const auto g = random_normal<T>(n, 10 + settings.step);
          f(ctx, value, m, v, g.data(), settings.max_norm > 0 ? &squared_norm : nullptr, settings, n);
        }
        std::vector<T> all;
        for (std::int64_t i = 0; i < n; ++i)
          all.insert(all.end(), {value.data()[i], m.data()[i], v.data()[i]});
        return all;
      },
      [&](const std::vector<T>& all) {
        EXPECT_TRUE(close(all, cast<T>(expected), {kRounding<T>, kRounding<T>}));
      });
}

TYPED_TEST(AdamWTest, FollowsTheReferenceForSeveralSteps) {
  for (const std::int64_t n : {1, 31, 32, 33, 127, 129, 10000})
    expect_reference<TypeParam>({.learning_rate = 0.01, .weight_decay = 0.1}, n, 0);
}

TYPED_TEST(AdamWTest, ClipsALongGradientAndLeavesAShortOneAlone) {
  for (const double squared_norm : {1e4, 0.25, 0.0})
    expect_reference<TypeParam>({.learning_rate = 0.01, .weight_decay = 0.1, .max_norm = 1}, 129,
                                squared_norm);
}

TYPED_TEST(AdamWTest, TheFirstStepMovesEveryParameterByTheLearningRate) {
  using T = TypeParam;
  Context ctx;
  std::vector<T> value = {1, 1, 1}, m(3), v(3);
  const std::vector<T> g = {T(0.001), T(-5), 300};  // bias correction makes m/sqrt(v) the sign of g
  adamw<T>(ctx, value.data(), m.data(), v.data(), g.data(), nullptr, {.learning_rate = 0.25, .epsilon = 0},
           3);
  EXPECT_TRUE(close(value, {T(0.75), T(1.25), T(0.75)}, {0, kRounding<T>}));
}

TYPED_TEST(AdamWTest, DecayIsDecoupledFromTheGradient) {
  using T = TypeParam;
  Context ctx;
  std::vector<T> value = {8, -2}, m(2), v(2);
  const std::vector<T> g(2, 0);
  adamw<T>(ctx, value.data(), m.data(), v.data(), g.data(), nullptr,
           {.learning_rate = 0.5, .weight_decay = 0.25}, 2);
  EXPECT_TRUE(close(value, {7, T(-1.75)}));
  EXPECT_TRUE(close(m, {0, 0}));
}

TYPED_TEST(AdamWTest, ANormThatIsNotFiniteShowsInEveryParameter) {
  using T = TypeParam;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double norm : {std::nan(""), infinity}) {
    Context ctx;
    std::vector<T> value(33, 1), m(33), v(33);
    const std::vector<T> g(33, 1);
    adamw<T>(ctx, value.data(), m.data(), v.data(), g.data(), &norm, {.learning_rate = 0.1, .max_norm = 1},
             33);
    for (const T x : value) EXPECT_TRUE(std::isnan(x)) << "norm² " << norm;
  }
}

TEST(AdamW, RefusesStepZeroAndClippingWithoutANorm) {
  Context ctx;
  float x = 1, m = 0, v = 0, g = 1;
  EXPECT_THROW(adamw<float>(ctx, &x, &m, &v, &g, nullptr, {.learning_rate = 1, .step = 0}, 1), Error);
  EXPECT_THROW(adamw<float>(ctx, &x, &m, &v, &g, nullptr, {.learning_rate = 1, .max_norm = 1}, 1), Error);
}

}  // namespace
}  // namespace moe
