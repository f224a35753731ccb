// The auction against the Hungarian method, and against all assignments where they can be counted.
#include "common/moe/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "kernels/base/check.hpp"
#include "tests/support/compare.hpp"

namespace moe::testing {
namespace {

using Capacity = std::vector<std::int64_t>;

// The greatest total of a square matrix, by shortest augmenting paths (Kuhn, Munkres; O(n³)). Rows and columns from 1.
double hungarian_total(const std::vector<double>& score, std::size_t n) {
  std::vector<double> u(n + 1), v(n + 1);
  std::vector<std::size_t> row_of(n + 1), way(n + 1);
  for (std::size_t i = 1; i <= n; ++i) {
    std::size_t column = 0;
    row_of[0] = i;
    std::vector<double> least(n + 1, HUGE_VAL);
    std::vector<bool> used(n + 1);
    do {
      used[column] = true;
      const std::size_t row = row_of[column];
      double delta = HUGE_VAL;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (used[j]) continue;
        const double reduced = -score[(row - 1) * n + j - 1] - u[row] - v[j];
        if (reduced < least[j]) least[j] = reduced, way[j] = column;
        if (least[j] < delta) delta = least[j], next = j;
      }
      for (std::size_t j = 0; j <= n; ++j)
        if (used[j])
          u[row_of[j]] += delta, v[j] -= delta;
        else
          least[j] -= delta;
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = way[column]) row_of[column] = row_of[way[column]];
  }
  double total = 0;
  for (std::size_t j = 1; j <= n; ++j) total += score[(row_of[j] - 1) * n + j - 1];
  return total;
}

// A column with capacity c is c columns with the same scores.
double best_total(const std::vector<double>& score, const Capacity& capacity) {
  const std::size_t E = capacity.size(), N = score.size() / E;
  std::vector<double> square;
  for (std::size_t n = 0; n < N; ++n)
    for (std::size_t e = 0; e < E; ++e)
      square.insert(square.end(), static_cast<std::size_t>(capacity[e]), score[n * E + e]);
  return hungarian_total(square, N);
}

double total_of(const std::vector<double>& score, const std::vector<std::int32_t>& column, std::size_t E) {
  double total = 0;
  for (std::size_t n = 0; n < column.size(); ++n) total += score[n * E + static_cast<std::size_t>(column[n])];
  return total;
}

void expect_capacity_met(const std::vector<std::int32_t>& column, const Capacity& capacity) {
  Capacity count(capacity.size());
  for (const std::int32_t e : column) ++count.at(static_cast<std::size_t>(e));
  EXPECT_EQ(count, capacity);
}

TEST(Hungarian, AgreesWithAllPermutations) {
  for (std::size_t n = 1; n <= 6; ++n) {
    const auto score = random_normal<double>(static_cast<std::int64_t>(n * n), n);
    std::vector<std::int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    double best = -HUGE_VAL;
    do best = std::max(best, total_of(score, order, n));
    while (std::next_permutation(order.begin(), order.end()));
    EXPECT_NEAR(hungarian_total(score, n), best, 1e-12);
  }
}

TEST(BalancedAssignment, IsWithinEpsilonARowOfTheOptimum) {
  for (const std::int64_t N : {1, 2, 31, 32, 33, 127, 129})
    for (const std::int64_t E : {1, 2, 5, 8, 32})
      for (const double epsilon : {1e-1, 1e-3, 1e-9}) {
        SCOPED_TRACE(concat(N, " rows, ", E, " columns, epsilon ", epsilon));
        const auto score = random_normal<double>(N * E, static_cast<std::uint64_t>(N * 100 + E));
        const Capacity capacity = even_capacity(score, N, E);
        const auto column = balanced_assignment(score, N, capacity, epsilon);
        expect_capacity_met(column, capacity);
        const double best = best_total(score, capacity),
                     got = total_of(score, column, static_cast<std::size_t>(E));
        EXPECT_LE(got, best + 1e-9);
        EXPECT_GE(got, best - static_cast<double>(N) * epsilon - 1e-9);
      }
}

// All rows want the same column: what the greedy choice cannot do.
TEST(BalancedAssignment, IsWithinEpsilonWhereAllRowsWantTheSame) {
  constexpr std::int64_t N = 64, E = 4;
  auto score = random_normal<double>(N * E, 3);
  for (std::int64_t n = 0; n < N; ++n) score[n * E + 2] += 50;
  const Capacity capacity(E, N / E);
  const auto column = balanced_assignment(score, N, capacity, 1e-6);
  expect_capacity_met(column, capacity);
  EXPECT_NEAR(total_of(score, column, E), best_total(score, capacity), N * 1e-6);
}

TEST(BalancedAssignment, EndsWhereAllScoresAreEqual) {
  for (const double value : {0.0, 3.0, -1e6}) {
    const std::vector<double> score(129 * 8, value);
    const Capacity capacity = even_capacity(score, 129, 8);
    EXPECT_EQ(capacity, (Capacity{17, 16, 16, 16, 16, 16, 16, 16}));
    expect_capacity_met(balanced_assignment(score, 129, capacity, 1e-6), capacity);
  }
}

TEST(BalancedAssignment, IsExactForSmallIntegersWithManyTies) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto score = random_normal<double>(40 * 5, seed);
    for (double& s : score) s = std::round(s);
    const Capacity capacity(5, 8);
    // Within 40 times 0.02 < 1 of the optimum, and totals are integers.
    EXPECT_EQ(total_of(score, balanced_assignment(score, 40, capacity, 0.02), 5),
              best_total(score, capacity));
  }
}

TEST(BalancedAssignment, FollowsUnequalCapacities) {
  const auto score = random_normal<double>(20 * 4, 9);
  for (const Capacity& capacity : {Capacity{20, 0, 0, 0}, Capacity{0, 13, 0, 7}, Capacity{1, 2, 3, 14}}) {
    const auto column = balanced_assignment(score, 20, capacity, 1e-6);
    expect_capacity_met(column, capacity);
    EXPECT_NEAR(total_of(score, column, 4), best_total(score, capacity), 20e-6);
  }
}

TEST(BalancedAssignment, WhatIsNotFiniteIsTheLowestScore) {
  auto score = random_normal<double>(12 * 3, 4), finite = score;
  const double low = *std::min_element(score.begin(), score.end());
  for (const std::size_t i : {0, 7, 20}) {
    score[i] = i == 7 ? -HUGE_VAL : NAN;
    finite[i] = low;
  }
  const Capacity capacity(3, 4);
  EXPECT_EQ(balanced_assignment(score, 12, capacity, 1e-6), balanced_assignment(finite, 12, capacity, 1e-6));
  const std::vector<double> nothing(12, NAN);
  expect_capacity_met(balanced_assignment(nothing, 4, Capacity{2, 1, 1}, 1e-6), {2, 1, 1});
  const std::vector<double> more(33 * 4, NAN);
  expect_capacity_met(balanced_assignment(more, 33, Capacity{9, 8, 8, 8}, 1e-6), {9, 8, 8, 8});
}

TEST(BalancedAssignment, NoRowsAndWrongCapacities) {
  EXPECT_TRUE(balanced_assignment({}, 0, Capacity{0, 0}, 1e-3).empty());
  const std::vector<double> score(4);
  EXPECT_THROW(balanced_assignment(score, 2, Capacity{1, 2}, 1e-3), Error);
  EXPECT_THROW(balanced_assignment(score, 2, Capacity{1, 1}, 0), Error);
}

TEST(EvenCapacity, TheColumnsLikedMostTakeOneMore) {
  // Best columns 2, 2, 0, 2, 1, 0, 2: liked 2, 1, 4, 0 times.
  std::vector<double> score(7 * 4);
  const int best[] = {2, 2, 0, 2, 1, 0, 2};
  for (std::size_t n = 0; n < 7; ++n) score[n * 4 + static_cast<std::size_t>(best[n])] = 1;
  EXPECT_EQ(even_capacity(score, 7, 4), (Capacity{2, 2, 2, 1}));
  EXPECT_EQ(even_capacity(std::vector<double>(score.begin(), score.begin() + 8), 2, 4),
            (Capacity{1, 0, 1, 0}));
  EXPECT_EQ(even_capacity({}, 0, 3), (Capacity{0, 0, 0}));
}

// Some ten milliseconds when written. Bidding without scaling of epsilon, or for places of one column against each other, takes
// minutes; the limit leaves room for sanitizers and busy machines.
TEST(BalancedAssignment, ABatchOfTokensIsQuick) {
  constexpr std::int64_t N = 2048, E = 32;
  auto score = random_normal<double>(N * E, 5);
  for (std::int64_t n = 0; n < N; ++n) score[n * E] += 3;  // a favourite
  const Capacity capacity(E, N / E);
  const auto start = std::chrono::steady_clock::now();
  const auto column = balanced_assignment(score, N, capacity, 1e-4);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  expect_capacity_met(column, capacity);
}

}  // namespace
}  // namespace moe::testing
