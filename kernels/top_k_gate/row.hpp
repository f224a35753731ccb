// What the versions share. For .cpp files of this folder only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/base/parallel.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::detail {

// Strictly better: a greater number, or a number against NaN. Not better on a tie, so the lower expert keeps
// its place.
template <class T>
bool better(T a, T b) {
  return a > b || (std::isnan(b) && !std::isnan(a));
}

// The K best of a row by insertion into a sorted list.
template <class T>
void insert_row(std::int32_t* expert, T* weight, const T* score, std::int64_t E, std::int64_t K) {
  for (std::int64_t e = 0; e < E; ++e) {
    const T s = score[e];
    std::int64_t place = e < K ? e : K;
    while (place > 0 && better(s, weight[place - 1])) --place;
    if (place == K) continue;
    for (std::int64_t k = std::min(e, K - 1); k > place; --k) {
      weight[k] = weight[k - 1];
      expert[k] = expert[k - 1];
    }
    weight[place] = s;
    expert[place] = static_cast<std::int32_t>(e);
  }
}

// Sigmoid scores can all underflow; the least sum keeps 0/0 out. NaN passes through.
template <class T>
constexpr T kLeastSum = T(1e-20);

template <class T>
T guarded(T sum) {
  return sum < kLeastSum<T> ? kLeastSum<T> : sum;
}

// weight (K): a row's, divided by their sum; not times 1 / sum: a single weight must be exactly 1.
template <class T>
void renormalise(T* weight, std::int64_t K) {
  T sum = 0;
  for (std::int64_t k = 0; k < K; ++k) sum += weight[k];
  sum = guarded(sum);
  for (std::int64_t k = 0; k < K; ++k) weight[k] /= sum;
}

inline void check_and_account(Context& ctx, const TopKShape& s, double size) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, "top ", s.K, " of ", s.E, " experts");
  account(ctx, s.N * (s.E * size + s.K * (size + 4.0)));
}

}  // namespace moe::detail
