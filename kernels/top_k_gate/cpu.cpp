#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/base/parallel.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe {
namespace {

// Strictly better: a greater number, or a number against NaN. Not better on a tie, so the lower expert keeps
// its place.
template <class T>
bool better(T a, T b) {
  return a > b || (std::isnan(b) && !std::isnan(a));
}

// The textbook: insertion into a sorted list of K.
template <class T>
struct Insertion {
  using Key = std::int32_t;  // needs none

  static void choose(Key*, std::int32_t* expert, T* weight, const T* score, std::int64_t E, std::int64_t K) {
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
};

// K times the largest of a row, on integers in the order of the scores: insertion mispredicts a branch for nearly every
// score that enters the list, about 130 ns a row of 32; vectors of integers have no branches and no NaN.
template <class T>
struct Selection {
  using Key = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

  // key (E): scratch
  static void choose(Key* __restrict key, std::int32_t* expert, T* weight, const T* score, std::int64_t E,
                     std::int64_t K) {
#pragma omp simd
    for (std::int64_t e = 0; e < E; ++e) key[e] = key_of(score[e]);
    for (std::int64_t k = 0; k < K; ++k) {
      Key most = kTaken;
#pragma omp simd reduction(max : most)
      for (std::int64_t e = 0; e < E; ++e) most = key[e] > most ? key[e] : most;
      Key first = static_cast<Key>(E);  // of those that tie
#pragma omp simd reduction(min : first)
      for (std::int64_t e = 0; e < E; ++e) {
        const Key here = key[e] == most ? static_cast<Key>(e) : static_cast<Key>(E);
        first = here < first ? here : first;
      }
      key[first] = kTaken;
      expert[k] = static_cast<std::int32_t>(first);
      weight[k] = score[first];
    }
  }

  static constexpr Key kTaken = std::numeric_limits<Key>::min(), kNotANumber = kTaken + 1;

  // Greater for greater numbers; equal for 0 and -0; NaN below -infinity.
  static Key key_of(T x) {
    const Key bits = std::bit_cast<Key>(x + T(0));
    const Key ordered = bits >= 0 ? bits : bits ^ std::numeric_limits<Key>::max();
    return x != x ? kNotANumber : ordered;
  }
};

// Sigmoid scores can all underflow; the least sum keeps 0/0 out. NaN passes through.
template <class T>
constexpr T kLeastSum = T(1e-20);

template <class T>
T guarded(T sum) {
  return sum < kLeastSum<T> ? kLeastSum<T> : sum;
}

template <class T, class Chooser>
void forward(Context& ctx, std::int32_t* expert, T* weight, const T* score, const TopKShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, "top ", s.K, " of ", s.E, " experts");
  account(ctx, s.N * (s.E * sizeof(T) + s.K * (sizeof(T) + 4.0)));
  Scratch<typename Chooser::Key> scratch(ctx, ctx.threads * s.E);
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    typename Chooser::Key* key = scratch.data() + current_worker() * s.E;
    for (std::int64_t n = begin; n < end; ++n) {
      T* w = weight + n * s.K;
      Chooser::choose(key, expert + n * s.K, w, score + n * s.E, s.E, s.K);
      if (!s.renormalise) continue;
      T sum = 0;
      for (std::int64_t k = 0; k < s.K; ++k) sum += w[k];
      sum = guarded(sum);
      for (std::int64_t k = 0; k < s.K; ++k)
        w[k] /= sum;  // not times 1/sum: a single weight must be exactly 1
    }
  });
}

// w = s/S, so ds_k = (dw_k - Σ_j dw_j·w_j) / S; where the least sum stands in for S, it is a constant: ds_k = dw_k / S.
template <class T>
void backward(Context& ctx, T* dscore, const T* dweight, const T* score, const std::int32_t* expert,
              const TopKShape& s) {
  account(ctx, s.N * (s.E * sizeof(T) + s.K * (2 * sizeof(T) + 4.0)));
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int32_t* chosen = expert + n * s.K;
      const T *x = score + n * s.E, *dw = dweight + n * s.K;
      T* dx = dscore + n * s.E;
      std::fill_n(dx, s.E, T(0));
      T sum = 1, mean = 0;
      if (s.renormalise) {
        sum = 0;
        for (std::int64_t k = 0; k < s.K; ++k) sum += x[chosen[k]];
        const bool constant = sum < kLeastSum<T>;
        sum = guarded(sum);
        for (std::int64_t k = 0; k < s.K && !constant; ++k)
          mean += dw[k] * (x[chosen[k]] / sum);  // as forward rounds it
      }
      for (std::int64_t k = 0; k < s.K; ++k) dx[chosen[k]] = (dw[k] - mean) / sum;
    }
  });
}

template <class T>
constexpr Version<TopKGate<T>> forward_versions[] = {
    {"insertion", DeviceKind::cpu, 0, forward<T, Insertion<T>>},
    {"selection", DeviceKind::cpu, 0, forward<T, Selection<T>>},
};
template <>
constexpr Version<TopKGate<float>> forward_versions<float>[] = {
    {"insertion", DeviceKind::cpu, 0, forward<float, Insertion<float>>},
    {"selection", DeviceKind::cpu, 0, forward<float, Selection<float>>},
    MOE_DEVICE_ROWS("1_naive", top_k_gate_naive)};

template <class T>
constexpr Version<TopKGateBackward<T>> backward_versions[] = {{"plain", DeviceKind::cpu, 0, backward<T>}};

}  // namespace

template <>
Operation<TopKGate<float>> top_k_gate<float>{"top_k_gate", forward_versions<float>};
template <>
Operation<TopKGate<double>> top_k_gate<double>{"top_k_gate", forward_versions<double>};
template <>
Operation<TopKGateBackward<float>> top_k_gate_backward<float>{"top_k_gate_backward",
                                                              backward_versions<float>};
template <>
Operation<TopKGateBackward<double>> top_k_gate_backward<double>{"top_k_gate_backward",
                                                                backward_versions<double>};

}  // namespace moe
