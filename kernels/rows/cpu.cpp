#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/rows/rows.hpp"
#include "kernels/rows/versions.hpp"

namespace moe {
namespace {

template <class T>
void gather(Context& ctx, T* rows, const T* x, const std::int32_t* token, const RowsShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.A * s.D + std::min(1.0 * s.N, 1.0 * s.A) * s.D) + 4.0 * s.A);
  parallel_for(ctx, s.A, row_grain(s.D * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      if (token[r] >= 0) std::copy_n(x + token[r] * s.D, s.D, rows + r * s.D);
  });
}

// y[n] = Σ weight[r]·rows[r] over the rows of token n, or Σ rows[r] without weights.
template <class T, bool kWeighted>
void sum_rows(Context& ctx, T* y, const T* rows, const T* weight, const TokenRows& where,
              const RowsShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.A * s.D + 1.0 * s.N * s.D) + 4.0 * s.A);
  parallel_for(ctx, s.N, row_grain(s.D * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* __restrict out = y + n * s.D;
      bool first = true;
      for (std::int32_t i = where.token_offset[n]; i < where.token_offset[n + 1]; ++i) {
        const std::int32_t r = where.row_of[i];
        if (r < 0) continue;
        const T w = kWeighted ? weight[r] : T(1);
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
                      const std::int32_t* token, const RowsShape& s) {
  account(ctx, sizeof(T) * (2.0 * s.A * s.D + 1.0 * s.N * s.D) + 4.0 * s.A);
  parallel_for(ctx, s.A, row_grain(2 * s.D * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      if (token[r] < 0) continue;
      const T* __restrict g = dy + token[r] * s.D, * __restrict in = rows + r * s.D;
      T* __restrict out = drows + r * s.D;
      const T w = weight[r];
      T dot = 0;
#pragma omp simd reduction(+ : dot)
      for (std::int64_t d = 0; d < s.D; ++d) {
        dot += g[d] * in[d];
        out[d] = w * g[d];
      }
      dweight[r] = dot;
    }
  });
}

template <class T>
void gather_values(Context& ctx, T* y, const T* x, const std::int32_t* index, std::int64_t M) {
  account(ctx, (2 * sizeof(T) + 4.0) * M);
  parallel_for(ctx, M, 8192, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = index[i] < 0 ? T(0) : x[index[i]];
  });
}

}  // namespace

MOE_TABLES(GatherRows, gather_rows, gather)
MOE_TABLES(GatherRowsBackward, gather_rows_backward, gather_backward)
MOE_TABLES(CombineRows, combine_rows, combine)
MOE_TABLES(CombineRowsBackward, combine_rows_backward, combine_backward)
MOE_TABLES(GatherScalars, gather_scalars, gather_values)

}  // namespace moe
