// Sums over the rows of a matrix, column by column, without atomics: rows are cut into chunks, a thread adds one column
// of one chunk, and a second kernel adds the chunks in order. Consecutive threads read consecutive elements.
#pragma once

#include <algorithm>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

constexpr int kColumnThreads = 128;

struct ColumnShape {
  std::int64_t rows, columns;
  std::int64_t rows_a_chunk, chunks;
};

// At most 256 chunks: a single thread adds them up for each column.
inline ColumnShape column_shape(std::int64_t rows, std::int64_t columns) {
  const std::int64_t rows_a_chunk = std::max<std::int64_t>(16, (rows + 255) / 256);
  return {rows, columns, rows_a_chunk, (rows + rows_a_chunk - 1) / rows_a_chunk};
}

// partial (chunks, columns): term(row, column) added over the chunk's rows. Grid (columns, chunks).
template <class T, class Term>
__global__ void __launch_bounds__(kColumnThreads)
    column_partials_kernel(T* __restrict__ partial, Term term, ColumnShape s) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kColumnThreads + threadIdx.x;
  if (column >= s.columns) return;
  const std::int64_t begin = blockIdx.y * s.rows_a_chunk;
  const std::int64_t end = begin + s.rows_a_chunk < s.rows ? begin + s.rows_a_chunk : s.rows;
  T sum = 0;
  for (std::int64_t row = begin; row < end; ++row) sum += term(row, column);
  partial[blockIdx.y * s.columns + column] = sum;
}

template <class T>
__global__ void __launch_bounds__(kColumnThreads)
    add_column_partials_kernel(T* __restrict__ sum, const T* __restrict__ partial, ColumnShape s,
                               bool accumulate) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kColumnThreads + threadIdx.x;
  if (column >= s.columns) return;
  T all = accumulate ? sum[column] : T(0);
  for (std::int64_t chunk = 0; chunk < s.chunks; ++chunk) all += partial[chunk * s.columns + column];
  sum[column] = all;
}

// sum (columns) = Σ over rows of term(row, column), or added to what is there. Term: a struct with a __device__
// operator(), because nvcc passes no lambda of host code to a kernel.
template <class T, class Term>
void sum_columns(Context& ctx, T* sum, const Term& term, std::int64_t rows, std::int64_t columns,
                 bool accumulate) {
  if (columns == 0) return;
  const ColumnShape s = column_shape(rows, columns);
  const unsigned across = blocks(columns, kColumnThreads);
  Scratch<T> partial(ctx, s.chunks * columns);
  if (s.chunks > 0)
    launch(ctx, column_partials_kernel<T, Term>, dim3(across, static_cast<unsigned>(s.chunks)),
           kColumnThreads, 0, partial.data(), term, s);
  launch(ctx, add_column_partials_kernel<T>, across, kColumnThreads, 0, sum, partial.data(), s, accumulate);
}

}  // namespace moe::MOE_BACKEND
