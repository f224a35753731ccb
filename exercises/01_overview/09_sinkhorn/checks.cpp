#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/base/check.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::grade {
namespace {

using Rows = std::vector<float>;  // (N, E)
struct Routed {
  std::vector<std::int32_t> expert;
  std::vector<float> weight;
};

// By the library, in double.
Rows expected(const Rows& score, std::int64_t N, std::int64_t E, std::int64_t iterations) {
  Context ctx(1);
  const std::vector<double> x(score.begin(), score.end());
  std::vector<double> balanced(x.size());
  sinkhorn<double>(ctx, balanced.data(), x.data(), N, E, iterations);
  return {balanced.begin(), balanced.end()};
}
Rows softmax_of(const Rows& score, std::int64_t N, std::int64_t E) {
  Context ctx(1);
  const std::vector<double> x(score.begin(), score.end());
  std::vector<double> p(x.size());
  softmax<double>(ctx, p.data(), nullptr, x.data(), N, E);
  return {p.begin(), p.end()};
}

std::vector<std::int32_t> greedy(const Rows& score, std::int64_t N, std::int64_t E) {
  Context ctx(1);
  std::vector<std::int32_t> expert(N);
  std::vector<float> unused(N);
  top_k_gate<float>(ctx, expert.data(), unused.data(), score.data(), {N, E, 1, false});
  return expert;
}

Rows answered(Check& check, const Rows& score, std::int64_t N, std::int64_t E, std::int64_t iterations) {
  Rows balanced;
  check.call("sinkhorn", Out("balanced", balanced, N * E), In("score", score, E), N, E, iterations);
  return balanced;
}
Routed routed(Check& check, const Rows& score, bool training, std::int64_t N, std::int64_t E,
              std::int64_t iterations) {
  Routed r;
  check.call("sinkhorn_route", Out("expert", r.expert, N), Out("weight", r.weight, N), In("score", score, E),
             training, N, E, iterations);
  for (const std::int32_t e : r.expert) check.require(e >= 0 && e < E, "a chosen expert is none of 0 to E-1");
  return r;
}

std::string sizes(std::int64_t N, std::int64_t E, std::int64_t iterations) {
  return concat("N=", N, " E=", E, " iterations=", iterations);
}

// Sums of at most 129 positive numbers in f32 and as many divisions as there are iterations.
constexpr Tolerance kRounding{1e-9, 1e-4};

// Normal scores with a fashion: most tokens like expert 0 best.
Rows fashionable(Check& check, std::int64_t N, std::int64_t E) {
  Rows score = check.normal(N * E);
  for (std::int64_t n = 0; n < N; ++n) score[n * E] += 3;
  return score;
}

}  // namespace

MOE_GRADED(HandCase, 1, "Work the README's example on paper: softmax, columns to N/E, rows to 1.") {
  const Rows score = check.example<float>("score");
  check.begin("the README's example, N=2 E=2 iterations=1");
  const Rows got = answered(check, score, 2, 2, 1);
  check.close("balanced", got, check.example<float>("balanced"), 2, {0.0006, 0});  // three digits
  check.close("balanced", got, expected(score, 2, 2, 1), 2, kRounding);
}

MOE_GRADED(RowsAndColumns, 1,
           "In the end rows sum to 1 exactly, because they are scaled last, and columns nearly to N/E.") {
  for (const auto [N, E] : {std::array<std::int64_t, 2>{4, 3}, {64, 8}}) {
    const Rows score = fashionable(check, N, E);
    for (const std::int64_t iterations : {1, 50}) {
      check.begin(sizes(N, E, iterations));
      const Rows got = answered(check, score, N, E, iterations);
      Rows row(static_cast<std::size_t>(N)), column(static_cast<std::size_t>(E));
      for (std::int64_t i = 0; i < N * E; ++i) row[i / E] += got[i], column[i % E] += got[i];
      check.close("sum of row", row, Rows(row.size(), 1.0f), 1, {1e-5, 0});
      const float share = static_cast<float>(N) / static_cast<float>(E);
      if (iterations == 50) check.close("sum of column", column, Rows(column.size(), share), 1, {0, 1e-2});
    }
  }
}

MOE_GRADED(AnySize, 2,
           "Look at the strides: columns step by E. With 0 iterations the result is the softmax.") {
  for (const auto [N, E, iterations] : {std::array<std::int64_t, 3>{2, 3, 0},
                                        {2, 3, 2},
                                        {0, 4, 3},
                                        {1, 5, 2},
                                        {33, 1, 4},
                                        {31, 33, 5},
                                        {129, 127, 20}}) {
    const Rows score = check.normal(N * E);
    check.begin(sizes(N, E, iterations));
    check.close("balanced", answered(check, score, N, E, iterations), expected(score, N, E, iterations), E,
                kRounding);
  }
}

MOE_GRADED(LargeScores, 1,
           "exp overflows beyond 88 and is 0 below -104: take every row's own greatest score out first.") {
  const Rows small{1000, 999, 998, -1000, -999, -998};
  check.begin("N=2 E=3 iterations=0, one row near 1000, the other near -1000");
  check.close("balanced", answered(check, small, 2, 3, 0), expected(small, 2, 3, 0), 3, kRounding);
  Rows score = check.normal(32 * 8);
  for (std::size_t i = 0; i < score.size(); ++i) score[i] += static_cast<float>(i / 8) * 40 - 600;
  check.begin("N=32 E=8 iterations=0, every row around another offset");
  check.close("balanced", answered(check, score, 32, 8, 0), expected(score, 32, 8, 0), 8, kRounding);
}

MOE_GRADED(BalancedChoice, 2,
           "In training a token takes the greatest entry of its row of the balanced matrix.") {
  for (const auto [N, E] : {std::array<std::int64_t, 2>{4, 2}, {96, 8}}) {
    const Rows score = fashionable(check, N, E), balanced = expected(score, N, E, 50);
    check.begin(sizes(N, E, 50) + ", training");
    const Routed got = routed(check, score, true, N, E, 50);
    for (std::int64_t n = 0; n < N; ++n) {
      const float* row = &balanced[n * E];
      const float* best = std::max_element(row, row + E);
      // Entries that are equal to rounding may go either way.
      check.require(row[got.expert[n]] >= 0.999f * *best,
                    concat("expert[", n, "] is ", got.expert[n], ", whose balanced entry is ",
                           row[got.expert[n]], "; expert ", best - row, " has ", *best));
    }
  }
}

MOE_GRADED(WeightFromScores, 2,
           "The weight is the softmax of the raw scores: balance is no opinion of the router, and 1 has no "
           "gradient.") {
  for (const auto [N, E] : {std::array<std::int64_t, 2>{3, 2}, {33, 7}})
    for (const bool training : {true, false}) {
      const Rows score = fashionable(check, N, E), p = softmax_of(score, N, E);
      check.begin(sizes(N, E, 20) + (training ? ", training" : ", not training") +
                  ", weights of your choices");
      const Routed got = routed(check, score, training, N, E, 20);
      Rows want;
      for (std::int64_t n = 0; n < N; ++n) want.push_back(p[n * E + got.expert[n]]);
      check.close("weight", got.weight, want, 1, kRounding);
    }
}

MOE_GRADED(InferenceIsGreedy, 1,
           "Not in training, a token takes its own best score (the lower expert of equals), whatever the "
           "others do.") {
  const Rows ties{2, 2, 0, 2, 3, 3, 5, 1, 1};
  check.begin("N=3 E=3 iterations=20, not training");
  check.equal("expert", routed(check, ties, false, 3, 3, 20).expert, greedy(ties, 3, 3));
  const std::int64_t N = 64, E = 8;
  const Rows score = fashionable(check, N, E);
  check.begin(sizes(N, E, 20) + ", not training");
  check.equal("expert", routed(check, score, false, N, E, 20).expert, greedy(score, N, E));
}

}  // namespace moe::grade
