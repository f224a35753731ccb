#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/rows/rows.hpp"

namespace moe::grade {
namespace {

struct Size {
  std::int64_t N, K, A, D;
};

// What a call gets. Weights and rows are small whole numbers or quarters, so that sums are exact in any order.
struct Case {
  Size size;
  std::vector<float> rows, weight;
  std::vector<std::int32_t> row;
};

// By the library.
std::vector<float> expected(const Case& c) {
  Context ctx(1);
  const auto& [N, K, A, D] = c.size;
  std::vector<float> y(N * D);
  combine_rows<float>(ctx, y.data(), c.rows.data(), c.weight.data(), {c.row.data(), K}, {N, N * K, D});
  return y;
}

void compare(Check& check, const Case& c) {
  const auto& [N, K, A, D] = c.size;
  std::vector<float> y;
  check.call("combine", Out("y", y, N * D), In("rows", c.rows, D), In("weight", c.weight, K),
             In("row", c.row, K), N, K, A, D);
  check.equal("y", y, expected(c), D);
}

std::string named(const Size& s) {
  return "N=" + std::to_string(s.N) + " K=" + std::to_string(s.K) + " A=" + std::to_string(s.A) +
         " D=" + std::to_string(s.D);
}

enum class Weights : std::uint8_t { one, any };

// Choices among E experts (-1: dropped), sorted by the library; A as many rows as are kept.
Case planned(Check& check, const std::vector<std::int32_t>& expert, std::int64_t K, std::int64_t E,
             std::int64_t D, Weights weights) {
  Context ctx(1);
  const auto M = static_cast<std::int64_t>(expert.size());
  std::vector<std::int32_t> offset(E + 1), row(M);
  sort_by_key(ctx, offset.data(), nullptr, row.data(), expert.data(), M, E);
  const Size size{M / K, K, offset[E], D};
  Case c{size, std::vector<float>(size.A * D), std::vector<float>(M, 1.0f), row};
  const auto numbers = check.integers(size.A * D, -9, 9), quarters = check.integers(M, 2, 8);
  std::copy(numbers.begin(), numbers.end(), c.rows.begin());
  // Different in every place of a token: a weight that went to the wrong row shows.
  if (weights == Weights::any)
    for (std::int64_t a = 0; a < M; ++a)
      c.weight[a] = 0.25f * static_cast<float>(quarters[a] + 7 * (a % K) + (a % 2));
  return c;
}

std::vector<std::int32_t> choices(Check& check, std::int64_t M, std::int64_t E, std::int32_t low = 0) {
  return check.integers(M, low, static_cast<std::int32_t>(E) - 1);
}

}  // namespace

MOE_GRADED(HandCase, 2, "Work the README's example on paper: every row by its weight, added up.") {
  const auto size = check.example<std::int64_t>("size");
  const Case c{{size[0], size[1], size[2], size[3]},
               check.example<float>("rows"),
               check.example<float>("weight"),
               check.example<std::int32_t>("row")};
  check.begin("the README's example, " + named(c.size));
  check.equal("README's y", check.example<float>("y"), expected(c), c.size.D);
  compare(check, c);
}

MOE_GRADED(OneChoice, 1,
           "K = 1 and every weight 1: combine only brings rows back into the order of tokens.") {
  for (const auto& [N, E, D] : {std::array<std::int64_t, 3>{4, 2, 1}, {31, 5, 7}, {127, 33, 1}}) {
    const Case c = planned(check, choices(check, N, E), 1, E, D, Weights::one);
    check.begin(named(c.size) + ", weights 1");
    compare(check, c);
  }
}

MOE_GRADED(Gate, 2, "Each row is multiplied by its weight; the weight's index is n*K + k, not the row's.") {
  for (const auto& [N, E, D] : {std::array<std::int64_t, 3>{4, 2, 2}, {33, 5, 3}, {129, 33, 1}}) {
    // The tokens' experts fall, so that no row stands where its assignment does.
    std::vector<std::int32_t> expert(N);
    for (std::int64_t n = 0; n < N; ++n) expert[n] = static_cast<std::int32_t>((N - 1 - n) * E / N);
    const Case c = planned(check, expert, 1, E, D, Weights::any);
    check.begin(named(c.size));
    compare(check, c);
  }
}

MOE_GRADED(SeveralChoices, 2, "A token's rows are added up: the last one must not overwrite the others.") {
  for (const auto& [N, K, E, D] :
       {std::array<std::int64_t, 4>{3, 2, 4, 2}, {31, 3, 4, 5}, {33, 8, 8, 1}, {127, 2, 33, 31}}) {
    const Case c = planned(check, choices(check, N * K, E), K, E, D, Weights::one);
    check.begin(named(c.size) + ", weights 1");
    compare(check, c);
  }
}

MOE_GRADED(TwiceTheSame, 1, "A token that chose one expert twice has two rows there, and both count.") {
  const Case c = planned(check, std::vector<std::int32_t>(6, 1), 2, 3, 2, Weights::one);
  check.begin(named(c.size) + ", all to one expert, weights 1");
  compare(check, c);
}

MOE_GRADED(Dropped, 2,
           "Row -1 adds nothing and changes no other weight; go on with the token's next choice.") {
  const Case first = planned(check, {-1, 1, 0, -1, 1, 0}, 2, 2, 2, Weights::one);
  check.begin(named(first.size) + ", weights 1, two dropped");
  compare(check, first);
  const Case many = planned(check, choices(check, 33 * 3, 4, -1), 3, 4, 5, Weights::one);
  check.begin(named(many.size) + ", weights 1, some dropped");
  compare(check, many);
  const Case all = planned(check, std::vector<std::int32_t>(8, -1), 2, 2, 3, Weights::one);
  check.begin(named(all.size) + ", all dropped");
  compare(check, all);
  // Rows that nobody names.
  Case rubbish = planned(check, {0, 1, 1, 0}, 2, 2, 2, Weights::one);
  rubbish.size.A += 2;
  rubbish.rows.resize(rubbish.size.A * 2, std::nanf(""));
  check.begin(named(rubbish.size) + ", two rows belong to nobody");
  compare(check, rubbish);
}

}  // namespace moe::grade
