#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/embedding/embedding.hpp"
#include "kernels/embedding/versions.hpp"

namespace moe {
namespace {

void check_ids(const std::int32_t* id, std::int64_t N, std::int64_t V) {
  std::int32_t least = 0, largest = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    least = std::min(least, id[n]);
    largest = std::max(largest, id[n]);
  }
  MOE_CHECK(N == 0 || (least >= 0 && largest < V), "ids ", least, " to ", largest, ", vocabulary ", V);
}

template <class T>
void embedding_plain(Context& ctx, T* y, const T* table, const std::int32_t* id, std::int64_t N,
                     std::int64_t V, std::int64_t D) {
  check_ids(id, N, V);
  account(ctx, 2.0 * sizeof(T) * N * D + 4.0 * N);
  parallel_for(ctx, N, row_grain(2 * D * sizeof(T)), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) std::copy_n(table + id[n] * D, D, y + n * D);
  });
}

// Counting sort: order[offset[v]] .. order[offset[v + 1] - 1] are the rows with id v, in rising order.
void rows_of_ids(std::int32_t* order, std::int32_t* offset, const std::int32_t* id, std::int64_t N,
                 std::int64_t V) {
  std::fill_n(offset, V + 2, 0);
  std::int32_t* next = offset + 1;  // one ahead: handing out the rows moves each start to its end
  for (std::int64_t n = 0; n < N; ++n) ++next[id[n] + 1];
  for (std::int64_t v = 0; v < V; ++v) next[v + 1] += next[v];
  for (std::int64_t n = 0; n < N; ++n) order[next[id[n]]++] = static_cast<std::int32_t>(n);
}

template <class T>
void add_row(T* sum, const T* x, std::int64_t D) {
#pragma omp simd
  for (std::int64_t d = 0; d < D; ++d) sum[d] += x[d];
}

// One thread owns a row of the table, so that the sum over its tokens has one order.
template <class T>
void embedding_backward_plain(Context& ctx, T* dtable, const T* dy, const std::int32_t* id, std::int64_t N,
                              std::int64_t V, std::int64_t D, bool accumulate) {
  check_ids(id, N, V);
  account(ctx, sizeof(T) * D * (N + (accumulate ? 2.0 * std::min(N, V) : V)) + 4.0 * N, 1.0 * N * D);
  Scratch<std::int32_t> offset(ctx, V + 2), order(ctx, N);
  rows_of_ids(order.data(), offset.data(), id, N, V);
  const std::int64_t bytes_per_row = D * sizeof(T) * (1 + N / std::max<std::int64_t>(V, 1));
  parallel_for(ctx, V, row_grain(bytes_per_row), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t v = begin; v < end; ++v) {
      T* row = dtable + v * D;
      if (!accumulate) std::fill_n(row, D, T(0));
      for (std::int32_t i = offset[v]; i < offset[v + 1]; ++i) add_row(row, dy + order[i] * D, D);
    }
  });
}

}  // namespace

MOE_TABLES(Embedding, embedding, embedding_plain)
MOE_TABLES(EmbeddingBackward, embedding_backward, embedding_backward_plain)

}  // namespace moe
