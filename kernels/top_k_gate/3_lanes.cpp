// A row a vector lane: the scores of one expert for all those rows are one vector, and the lists of the K best are K vectors,
// kept by compares and selects; no sum or maximum across a row's own vectors is left.
#include <array>
#include <limits>

#include "kernels/base/lanes.hpp"
#include "kernels/top_k_gate/row.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::detail {
namespace {

constexpr int kRows = kLanes;
constexpr std::int64_t kMostK = 8, kGrain = 256;  // experts; rows

// The K best of each of kRows rows, best first; ties keep the lower expert.
template <int K>
struct Best {
  Floats score[K];
  Ints expert[K];
  Floats times_zero = {};  // not 0 in lanes that met NaN or an infinity

  Best() {
    for (int k = 0; k < K; ++k) {
      score[k] = Floats{} - std::numeric_limits<float>::infinity();
      expert[k] = Ints{};
    }
  }

  void offer(Floats s, std::int32_t e) {
    times_zero += s * 0.f;
    const Ints candidate = Ints{} + e;
    Ints above[K];
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

// Experts e .. e + width of kRows rows, one expert a vector. Rows from `rows` on repeat the last.
void load(Floats (&block)[kRows], const float* score, std::int64_t rows, std::int64_t E, std::int64_t width) {
  if (width == kRows && rows == kRows) {
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < kRows; ++r) block[r] = load_lanes(score + r * E);
  } else {
    for (std::int64_t r = 0; r < kRows; ++r)
      for (std::int64_t i = 0; i < width; ++i) block[r][i] = score[std::min(r, rows - 1) * E + i];
  }
  transpose(block);
}

// score: row r of these stands at score + r * E.
template <int K>
Best<K> best_of_rows(const float* score, std::int64_t rows, std::int64_t E) {
  Best<K> best;
  Floats block[kRows] = {};
  for (std::int64_t e = 0; e < E; e += kRows) {
    const std::int64_t width = std::min<std::int64_t>(kRows, E - e);
    load(block, score + e, rows, E, width);
    for (std::int64_t i = 0; i < width; ++i) best.offer(block[i], static_cast<std::int32_t>(e + i));
  }
  return best;
}

template <int K>
void renormalise_lanes(Floats (&weight)[K]) {
  Floats sum = {};
  for (const Floats& w : weight) sum += w;
  sum = sum < kLeastSum<float> ? Floats{} + kLeastSum<float> : sum;
  for (Floats& w : weight) w /= sum;
}

template <int K>
void store(std::int32_t* expert, float* weight, const Best<K>& best, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (int k = 0; k < K; ++k) {
      expert[r * K + k] = best.expert[k][r];
      weight[r * K + k] = best.score[k][r];
    }
}

// Rows with NaN or infinities, which the vectors do not order.
void redo_unusual(const Floats& times_zero, std::int32_t* expert, float* weight, const float* score,
                  std::int64_t rows, const TopKShape& s) {
  for (std::int64_t r = 0; r < rows; ++r) {
    if (times_zero[r] == 0) continue;
    insert_row(expert + r * s.K, weight + r * s.K, score + r * s.E, s.E, s.K);
    if (s.renormalise) renormalise(weight + r * s.K, s.K);
  }
}

template <int K>
void gate_rows(std::int32_t* expert, float* weight, const float* score, std::int64_t rows,
               const TopKShape& s) {
  Best<K> best = best_of_rows<K>(score, rows, s.E);
  if (s.renormalise) renormalise_lanes(best.score);
  store(expert, weight, best, rows);
  redo_unusual(best.times_zero, expert, weight, score, rows, s);
}

using GateRows = void(std::int32_t*, float*, const float*, std::int64_t, const TopKShape&);
constexpr std::array<GateRows*, kMostK + 1> kByK = {nullptr,      gate_rows<1>, gate_rows<2>,
                                                    gate_rows<3>, gate_rows<4>, gate_rows<5>,
                                                    gate_rows<6>, gate_rows<7>, gate_rows<8>};

}  // namespace

void top_k_gate_lanes(Context& ctx, std::int32_t* expert, float* weight, const float* score,
                      const TopKShape& s) {
  if (s.K > kMostK) return top_k_gate_selection(ctx, expert, weight, score, s);
  check_and_account(ctx, s, sizeof(float));
  GateRows* const f = kByK[static_cast<std::size_t>(s.K)];
  parallel_for(ctx, s.N, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; n += kRows)
      f(expert + n * s.K, weight + n * s.K, score + n * s.E, std::min<std::int64_t>(kRows, end - n), s);
  });
}

}  // namespace moe::detail
