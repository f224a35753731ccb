#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/rows/rows.hpp"
#include "kernels/rows/versions.hpp"

namespace moe {
namespace {

// move(n, i, r) for every assignment i of every token n, r its row or -1. A row has this many bytes to move.
template <class Move>
void each_assignment(Context& ctx, const TokenRows& where, std::int64_t N, std::int64_t bytes, Move move) {
  parallel_for(ctx, N, row_grain(bytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      for (std::int64_t i = where.begin(n), last = where.begin(n + 1); i < last; ++i)
        move(n, i, where.row[i]);
  });
}

template <class T>
void gather(Context& ctx, T* rows, const T* x, const TokenRows& where, const RowsShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.A * s.D + std::min(1.0 * s.N, 1.0 * s.A) * s.D) + 4.0 * s.A);
  each_assignment(ctx, where, s.N, 2 * s.D * sizeof(T), [=](std::int64_t n, std::int64_t, std::int64_t r) {
    if (r >= 0) std::copy_n(x + n * s.D, s.D, rows + r * s.D);
  });
}

// y[n] = Σ weight·rows[r] over the rows of token n, or Σ rows[r] without weights.
template <class T, bool kWeighted>
void sum_rows(Context& ctx, T* y, const T* rows, const T* weight, const TokenRows& where,
              const RowsShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.A * s.D + 1.0 * s.N * s.D + (kWeighted ? s.A : 0)) + 4.0 * s.A);
  parallel_for(ctx, s.N, row_grain(s.D * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* __restrict out = y + n * s.D;
      bool first = true;
      for (std::int64_t i = where.begin(n), last = where.begin(n + 1); i < last; ++i) {
        const std::int64_t r = where.row[i];
        if (r < 0) continue;
        const T w = kWeighted ? weight[where.place(i)] : T(1);
        const T* __restrict in = rows + r * s.D;
        if (first) {
          for (std::int64_t d = 0; d < s.D; ++d) out[d] = w * in[d];
        } else {
          for (std::int64_t d = 0; d < s.D; ++d) out[d] += w * in[d];
        }
        first = false;
      }
      if (first) std::fill_n(out, s.D, T(0));
    }
  });
}

template <class T>
void gather_backward(Context& ctx, T* dx, const T* drows, const TokenRows& where, const RowsShape& s) {
  sum_rows<T, false>(ctx, dx, drows, nullptr, where, s);
}

template <class T>
void combine(Context& ctx, T* y, const T* rows, const T* weight, const TokenRows& where, const RowsShape& s) {
  sum_rows<T, true>(ctx, y, rows, weight, where, s);
}

template <class T>
void combine_backward(Context& ctx, T* drows, T* dweight, const T* dy, const T* rows, const T* weight,
                      const TokenRows& where, const RowsShape& s) {
  account(ctx, sizeof(T) * (2.0 * s.A * s.D + 1.0 * s.N * s.D + 2.0 * s.A) + 4.0 * s.A);
  const auto move = [=](std::int64_t n, std::int64_t i, std::int64_t r) {
    const std::int64_t place = where.place(i);
    const T w = weight[place];
    T dot = 0;
    if (r >= 0) {
      const T* __restrict g = dy + n * s.D, * __restrict in = rows + r * s.D;
      T* __restrict out = drows + r * s.D;
#pragma omp simd reduction(+ : dot)
      for (std::int64_t d = 0; d < s.D; ++d) {
        dot += g[d] * in[d];
        out[d] = w * g[d];
      }
    }
    dweight[place] = dot;
  };
  each_assignment(ctx, where, s.N, 4 * s.D * sizeof(T), move);
}

}  // namespace

MOE_TABLES(GatherRows, gather_rows, gather)
MOE_TABLES(GatherRowsBackward, gather_rows_backward, gather_backward)
MOE_TABLES(CombineRows, combine_rows, combine)
MOE_TABLES(CombineRowsBackward, combine_rows_backward, combine_backward)

}  // namespace moe
