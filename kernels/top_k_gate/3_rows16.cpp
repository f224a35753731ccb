// Sixteen rows at once, a row a vector lane: the scores of one expert for all sixteen are one vector, and the lists of the K
// best are K vectors, kept by compares and selects; no sum or maximum across a row's own vectors is left.
#include <array>
#include <cstring>
#include <limits>

#include "kernels/top_k_gate/row.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::detail {
namespace {

constexpr std::int64_t kRows = 16, kMostK = 8, kGrain = 256;  // rows

// GCC's and Clang's vectors: one AVX-512 register, or several narrower ones.
using Float16 = float __attribute__((vector_size(64)));
using Int16 = std::int32_t __attribute__((vector_size(64)));

// Lane i of the result is lane `from[i]` of a, then b.
inline Float16 shuffle(Float16 a, Float16 b, Int16 from) {
#ifdef __clang__  // knows only a shuffle whose lanes are arguments one by one; inlined, this becomes one, too
  Float16 result = {};
  for (int i = 0; i < 16; ++i) result[i] = from[i] < 16 ? a[from[i]] : b[from[i] - 16];
  return result;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

// Exchanges off-diagonal blocks of kDistance × kDistance between rows i and i + kDistance: a quarter of a transposition.
template <int kDistance>
inline void exchange_blocks(Float16 (&m)[16]) {
  constexpr auto low = [](int lane) { return lane & kDistance ? 16 + lane - kDistance : lane; };
  constexpr auto high = [](int lane) { return lane & kDistance ? 16 + lane : lane + kDistance; };
  constexpr Int16 kLow = {low(0), low(1), low(2),  low(3),  low(4),  low(5),  low(6),  low(7),
                          low(8), low(9), low(10), low(11), low(12), low(13), low(14), low(15)};
  constexpr Int16 kHigh = {high(0), high(1), high(2),  high(3),  high(4),  high(5),  high(6),  high(7),
                           high(8), high(9), high(10), high(11), high(12), high(13), high(14), high(15)};
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if (i & kDistance) continue;
    const Float16 a = m[i], b = m[i + kDistance];
    m[i] = shuffle(a, b, kLow);
    m[i + kDistance] = shuffle(a, b, kHigh);
  }
}

inline void transpose(Float16 (&m)[16]) {
  exchange_blocks<8>(m);
  exchange_blocks<4>(m);
  exchange_blocks<2>(m);
  exchange_blocks<1>(m);
}

// The K best of each of sixteen rows, best first; ties keep the lower expert.
template <int K>
struct Best16 {
  Float16 score[K];
  Int16 expert[K];
  Float16 times_zero = {};  // not 0 in lanes that met NaN or an infinity

  Best16() {
    for (int k = 0; k < K; ++k) {
      score[k] = Float16{} - std::numeric_limits<float>::infinity();
      expert[k] = Int16{};
    }
  }

  void offer(Float16 s, std::int32_t e) {
    times_zero += s * 0.f;
    const Int16 candidate = Int16{} + e;
    Int16 above[K];
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k) above[k] = s > score[k];
#pragma GCC unroll 8
    for (int k = K - 1; k > 0; --k) {
      score[k] = above[k - 1] ? score[k - 1] : above[k] ? s : score[k];
      expert[k] = above[k - 1] ? expert[k - 1] : above[k] ? candidate : expert[k];
    }
    score[0] = above[0] ? s : score[0];
    expert[0] = above[0] ? candidate : expert[0];
  }
};

// Experts e .. e + width of sixteen rows, one expert a vector. Rows from `rows` on repeat the last.
void load(Float16 (&block)[kRows], const float* score, std::int64_t rows, std::int64_t E,
          std::int64_t width) {
  if (width == kRows && rows == kRows) {
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < kRows; ++r) std::memcpy(&block[r], score + r * E, sizeof block[r]);
  } else {
    for (std::int64_t r = 0; r < kRows; ++r)
      for (std::int64_t i = 0; i < width; ++i) block[r][i] = score[std::min(r, rows - 1) * E + i];
  }
  transpose(block);
}

// score: row r of the sixteen stands at score + r * E.
template <int K>
Best16<K> best_of_sixteen(const float* score, std::int64_t rows, std::int64_t E) {
  Best16<K> best;
  Float16 block[kRows] = {};
  for (std::int64_t e = 0; e < E; e += kRows) {
    const std::int64_t width = std::min(kRows, E - e);
    load(block, score + e, rows, E, width);
    for (std::int64_t i = 0; i < width; ++i) best.offer(block[i], static_cast<std::int32_t>(e + i));
  }
  return best;
}

template <int K>
void renormalise_lanes(Float16 (&weight)[K]) {
  Float16 sum = {};
  for (const Float16& w : weight) sum += w;
  sum = sum < kLeastSum<float> ? Float16{} + kLeastSum<float> : sum;
  for (Float16& w : weight) w /= sum;
}

template <int K>
void store(std::int32_t* expert, float* weight, const Best16<K>& best, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (int k = 0; k < K; ++k) {
      expert[r * K + k] = best.expert[k][r];
      weight[r * K + k] = best.score[k][r];
    }
}

// Rows with NaN or infinities, which the vectors do not order.
void redo_unusual(const Float16& times_zero, std::int32_t* expert, float* weight, const float* score,
                  std::int64_t rows, const TopKShape& s) {
  for (std::int64_t r = 0; r < rows; ++r) {
    if (times_zero[r] == 0) continue;
    insert_row(expert + r * s.K, weight + r * s.K, score + r * s.E, s.E, s.K);
    if (s.renormalise) renormalise(weight + r * s.K, s.K);
  }
}

template <int K>
void sixteen_rows(std::int32_t* expert, float* weight, const float* score, std::int64_t rows,
                  const TopKShape& s) {
  Best16<K> best = best_of_sixteen<K>(score, rows, s.E);
  if (s.renormalise) renormalise_lanes(best.score);
  store(expert, weight, best, rows);
  redo_unusual(best.times_zero, expert, weight, score, rows, s);
}

using SixteenRows = void(std::int32_t*, float*, const float*, std::int64_t, const TopKShape&);
constexpr std::array<SixteenRows*, kMostK + 1> kByK = {nullptr,         sixteen_rows<1>, sixteen_rows<2>,
                                                       sixteen_rows<3>, sixteen_rows<4>, sixteen_rows<5>,
                                                       sixteen_rows<6>, sixteen_rows<7>, sixteen_rows<8>};

}  // namespace

void top_k_gate_rows16(Context& ctx, std::int32_t* expert, float* weight, const float* score,
                       const TopKShape& s) {
  if (s.K > kMostK) return top_k_gate_selection(ctx, expert, weight, score, s);
  check_and_account(ctx, s, sizeof(float));
  SixteenRows* const f = kByK[static_cast<std::size_t>(s.K)];
  parallel_for(ctx, s.N, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; n += kRows)
      f(expert + n * s.K, weight + n * s.K, score + n * s.E, std::min(kRows, end - n), s);
  });
}

}  // namespace moe::detail
