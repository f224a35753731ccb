// K times the largest of a row, on integers in the order of the scores: insertion mispredicts a branch for nearly every
// score that enters the list, about 130 ns a row of 32; vectors of integers have no branches and no NaN.
#include <bit>
#include <limits>
#include <type_traits>

#include "kernels/top_k_gate/row.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::detail {
namespace {

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

}  // namespace

template <class T>
void top_k_gate_selection(Context& ctx, std::int32_t* expert, T* weight, const T* score, const TopKShape& s) {
  using Key = typename Selection<T>::Key;
  check_and_account(ctx, s, sizeof(T));
  Scratch<Key> scratch(ctx, ctx.threads * s.E);
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    Key* key = scratch.data() + current_worker() * s.E;
    for (std::int64_t n = begin; n < end; ++n) {
      Selection<T>::choose(key, expert + n * s.K, weight + n * s.K, score + n * s.E, s.E, s.K);
      if (s.renormalise) renormalise(weight + n * s.K, s.K);
    }
  });
}

template void top_k_gate_selection(Context&, std::int32_t*, float*, const float*, const TopKShape&);
template void top_k_gate_selection(Context&, std::int32_t*, double*, const double*, const TopKShape&);

}  // namespace moe::detail
