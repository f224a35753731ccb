#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/base/check.hpp"
#include "kernels/choice/choice.hpp"

namespace moe::grade {
namespace {

struct Batch {
  std::int64_t N, E, K;
  std::vector<float> score;
  std::vector<std::int32_t> expert, kept;
  float alpha = 0.01f;

  std::string name() const { return concat("N=", N, " E=", E, " K=", K); }
};

// Sigmoids, K different experts a token, nothing dropped.
Batch random_batch(Check& check, std::int64_t N, std::int64_t E, std::int64_t K) {
  Batch b{N, E, K, check.normal(N * E), check.integers(N * K, 0, static_cast<std::int32_t>(E - 1)), {}};
  for (float& s : b.score) s = 1 / (1 + std::exp(-s));
  for (std::int64_t i = 0; i < N * K; ++i)
    if (i % K > 0) b.expert[i] = static_cast<std::int32_t>((b.expert[i - 1] + 1) % E);
  b.kept.assign(static_cast<std::size_t>(N * K), 1);
  return b;
}

Batch readme_batch(Check& check) {
  return {2,
          3,
          2,
          check.example<float>("score"),
          check.example<std::int32_t>("expert"),
          check.example<std::int32_t>("kept")};
}

struct Expected {
  double loss;
  std::vector<float> gradient;  // (N, E)
};

// By the library, in double: without choices, weigh_choice makes a distribution of each row of scores.
Expected expected(const Batch& b) {
  Context ctx(1);
  const ChoiceShape all{.N = b.N, .E = b.E, .K = b.E};
  const std::vector<double> score(b.score.begin(), b.score.end());
  std::vector<std::int32_t> count(b.E);
  for (const std::int32_t e : b.expert) ++count[e];
  std::vector<double> p(score.size()), dp(score.size()), dscore(score.size());
  const double alpha = b.alpha;
  double loss = 0;
  weigh_choice<double>(ctx, p.data(), score.data(), nullptr, all);
  balance_loss<double>(ctx, &loss, p.data(), count.data(), {b.N, b.E});
  balance_loss_backward<double>(ctx, dp.data(), &alpha, count.data(), {b.N, b.E}, false);
  weigh_choice_backward<double>(ctx, dscore.data(), dp.data(), score.data(), nullptr, all);
  return {alpha * loss, {dscore.begin(), dscore.end()}};
}

double answered_loss(Check& check, const Batch& b) {
  return check.result_of<float>("balance_loss", In("score", b.score, b.E), In("expert", b.expert, b.K),
                                In("kept", b.kept, b.K), b.alpha, b.N, b.E, b.K);
}
std::vector<float> answered_gradient(Check& check, const Batch& b) {
  std::vector<float> dscore;
  check.call("balance_loss_gradient", Out("dscore", dscore, b.N * b.E), In("score", b.score, b.E),
             In("expert", b.expert, b.K), In("kept", b.kept, b.K), b.alpha, b.N, b.E, b.K);
  return dscore;
}

// Sums of at most 129 positive terms in f32.
constexpr Tolerance kRounding{0, 3e-5};

void compare_loss(Check& check, const Batch& b) {
  check.begin(b.name());
  check.close("loss", answered_loss(check, b), expected(b).loss, kRounding);
}
void compare_gradient(Check& check, const Batch& b) {
  check.begin(b.name());
  const std::vector<float> got = answered_gradient(check, b), want = expected(b).gradient;
  double greatest = 0;  // f_e - mean cancels: its error is of the size of the greatest, not of its own
  for (const float x : want) greatest = std::max(greatest, std::abs(static_cast<double>(x)));
  check.close("dscore", got, want, b.E, {3e-5 * greatest, 3e-5});
}

// Every expert is chosen as often as any other, and every score is 1/2.
Batch balanced_batch(std::int64_t E, std::int64_t K) {
  Batch b{E, E, K, std::vector<float>(static_cast<std::size_t>(E * E), 0.5f), {}, {}};
  for (std::int64_t i = 0; i < E * K; ++i) b.expert.push_back(static_cast<std::int32_t>((i / K + i % K) % E));
  b.kept.assign(b.expert.size(), 1);
  return b;
}

}  // namespace

MOE_GRADED(HandCase, 1,
           "Work the README's example on paper: f, then p of every row, then P, then the loss.") {
  const Batch b = readme_batch(check);
  check.begin("the README's example, N=2 E=3 K=2");
  check.close("loss", answered_loss(check, b), check.example<double>("loss")[0], kRounding);
}

MOE_GRADED(PerfectBalance, 2,
           "Perfect balance costs exactly alpha for any K: f is a share of all N*K choices, and E stands in "
           "front.") {
  for (const auto [E, K] : {std::array<std::int64_t, 2>{4, 1}, {4, 2}, {3, 3}, {33, 4}}) {
    const Batch b = balanced_batch(E, K);
    check.begin(b.name() + ", every expert chosen alike, alpha = 0.01");
    check.close("loss", answered_loss(check, b), b.alpha, kRounding);
  }
}

MOE_GRADED(
    BeforeDropping, 1,
    "Count what the router wanted: kept experts are never above capacity, however bad the router is.") {
  Batch b = random_batch(check, 6, 3, 1);
  b.expert.assign(6, 0);
  check.begin("N=6 E=3 K=1, all tokens to expert 0; once all kept, once two");
  const double all = answered_loss(check, b);
  b.kept = {1, 1, 0, 0, 0, 0};
  const double some = answered_loss(check, b);
  check.require(all > 0, concat("the loss is ", all));
  check.require(std::abs(all - some) <= 1e-6 * all,
                concat("the loss is ", all, " if all are kept, and ", some, " if expert 0 drops four"));
}

MOE_GRADED(TinyScores, 1,
           "Only a row's proportions count: divide by its sum, and add nothing to it, or small scores cheat "
           "the loss.") {
  for (const int power : {-10, -40}) {
    Batch b = random_batch(check, 2, 3, 1);
    check.begin(concat("N=2 E=3 K=1, then all scores times 2^", power));
    const double before = answered_loss(check, b);
    for (float& s : b.score) s = std::ldexp(s, power);
    const double after = answered_loss(check, b);
    check.require(before > 0, concat("the loss is ", before));
    check.require(std::abs(before - after) <= 1e-5 * before,
                  concat("the loss was ", before, " and became ", after));
  }
}

MOE_GRADED(
    AnySize, 1,
    "P is the mean over tokens of the row's scores divided by their sum, of all experts, chosen or not.") {
  for (const auto [N, E, K] :
       {std::array<std::int64_t, 3>{1, 2, 1}, {0, 4, 2}, {3, 4, 1}, {3, 4, 2}, {31, 33, 2}, {129, 127, 8}})
    compare_loss(check, random_batch(check, N, E, K));
}

MOE_GRADED(GradientDirection, 1,
           "A step against the gradient must take score from the busy expert in favour of the idle ones.") {
  Batch b = random_batch(check, 4, 3, 1);
  b.expert.assign(4, 1);
  check.begin("N=4 E=3 K=1, all tokens to expert 1");
  const std::vector<float> d = answered_gradient(check, b);
  for (std::int64_t n = 0; n < 4; ++n)
    for (const std::int64_t idle : {0, 2})
      check.require(d[n * 3 + 1] > d[n * 3 + idle],
                    concat("token ", n, ": dscore of busy expert 1 is ", d[n * 3 + 1],
                           ", not above that of idle expert ", idle, ", ", d[n * 3 + idle]));
}

MOE_GRADED(Gradient, 3,
           "A score moves its own p, and the sum that every p of its row is divided by. f is a constant.") {
  const Batch hand = readme_batch(check);
  check.begin("the README's example, N=2 E=3 K=2");
  check.close("dscore", answered_gradient(check, hand), check.example<float>("dscore"), 3,
              {1e-6, 0});  // its digits
  for (const auto [N, E, K] :
       {std::array<std::int64_t, 3>{1, 2, 1}, {0, 4, 2}, {3, 4, 2}, {31, 33, 1}, {127, 31, 8}}) {
    Batch b = random_batch(check, N, E, K);
    for (std::size_t i = 0; i < b.kept.size(); i += 3) b.kept[i] = 0;
    compare_gradient(check, b);
  }
}

}  // namespace moe::grade
