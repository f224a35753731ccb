// A thread takes a token: its row is short, and the arithmetic is the CPU's (row.hpp). Elementwise work goes a thread an
// element; move_bias is one block, in which every thread adds up all counts for itself rather than wait for the others.
#include "kernels/base/elements.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/choice/row.hpp"
#include "kernels/choice/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;

}  // namespace

__global__ void __launch_bounds__(kThreads)
    weigh_kernel(float* weight, const float* score, const std::int32_t* expert, ChoiceShape s) {
  const std::int64_t n = global_thread();
  if (n < s.N) detail::weigh_row(weight + n * s.K, score + n * s.E, detail::row_of(expert, n, s.K), s);
}

__global__ void __launch_bounds__(kThreads, 4)
    weigh_backward_kernel(float* dscore, const float* dweight, const float* score, const std::int32_t* expert,
                          ChoiceShape s) {
  const std::int64_t n = global_thread();
  if (n < s.N)
    detail::weigh_row_backward(dscore + n * s.E, dweight + n * s.K, score + n * s.E,
                               detail::row_of(expert, n, s.K), s);
}

__global__ void __launch_bounds__(kThreads)
    keep_by_chance_kernel(std::int32_t* kept, const std::int32_t* expert, const float* weight, RngKey key,
                          std::int64_t first_token, std::int64_t N, std::int64_t K) {
  const std::int64_t n = global_thread();
  if (n < N)
    detail::keep_by_chance_row(kept + n * K, expert + n * K, weight + n * K, key,
                               static_cast<std::uint64_t>(first_token + n), K);
}

__global__ void __launch_bounds__(kThreads)
    hash_kernel(std::int32_t* expert, const std::int32_t* id, RngKey key, ChoiceShape s) {
  const std::int64_t n = global_thread();
  if (n < s.N) detail::hash_row(expert + n * s.K, id[n], key, s);
}

__global__ void __launch_bounds__(kThreads)
    table_kernel(std::int32_t* expert, const std::int32_t* id, const float* table, std::int64_t V, RngKey key,
                 ChoiceShape s) {
  const std::int64_t n = global_thread();
  if (n < s.N) detail::table_row(expert + n * s.K, id[n], table, V, key, s);
}

__global__ void __launch_bounds__(kThreads)
    keep_top_p_kernel(std::int32_t* kept, const std::int32_t* expert, const float* weight, double threshold,
                      std::int64_t N, std::int64_t K) {
  const std::int64_t n = global_thread();
  if (n < N) detail::keep_top_p_row(kept + n * K, expert + n * K, weight + n * K, threshold, K);
}

__global__ void __launch_bounds__(kElementThreads)
    group_keys_kernel(std::int32_t* key, const std::int32_t* expert, std::int64_t n, std::int64_t length,
                      std::int64_t E) {
  each_element(n, [=](std::int64_t i) { key[i] = detail::group_key(expert, i, length, E); });
}

__global__ void __launch_bounds__(kThreads)
    even_out_kernel(std::int32_t* count, std::int64_t rows, std::int64_t E, std::int64_t nulls) {
  const std::int64_t r = global_thread();
  if (r < rows) detail::even_out_row(count + r * (E + nulls), E, nulls);
}

__global__ void __launch_bounds__(kThreads)
    biased_kernel(float* biased, const float* score, const float* bias, GroupLimit limit, ChoiceShape s) {
  const std::int64_t n = global_thread();
  if (n < s.N) detail::biased_row(biased + n * s.E, score + n * s.E, bias, limit, s.E);
}

__global__ void __launch_bounds__(kThreads)
    move_bias_kernel(float* bias, const std::int32_t* count, double rate, std::int64_t E) {
  std::int64_t all = 0;
  for (std::int64_t e = 0; e < E; ++e) all += count[e];
  for (std::int64_t e = threadIdx.x; e < E; e += kThreads)
    bias[e] = detail::moved_bias(bias[e], count[e], all, rate, E);
}

// A thread an expert, which owns a column: no two threads write one number. The column is there for metrics only.
__global__ void __launch_bounds__(kThreads)
    by_token_kernel(std::int32_t* expert, std::int32_t* by_token, float* weight_by_token,
                    const std::int32_t* token, const float* weight, std::int64_t N, std::int64_t E,
                    std::int64_t C) {
  const std::int64_t e = global_thread();
  if (e < E) detail::by_token_column(expert, by_token, weight_by_token, token, weight, e, N, E, C);
}

__global__ void __launch_bounds__(kElementThreads)
    add_counts_kernel(std::int32_t* sum, const std::int32_t* count, std::int64_t E) {
  each_element(E, [=](std::int64_t e) { sum[e] += count[e]; });
}

__global__ void __launch_bounds__(kElementThreads) sigmoid_kernel(float* y, const float* x, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { y[i] = 1 / (1 + expf(-x[i])); });
}

__global__ void __launch_bounds__(kElementThreads)
    sigmoid_backward_kernel(float* dx, const float* dy, const float* y, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { dx[i] = dy[i] * y[i] * (1 - y[i]); });
}

// Writes stand side by side; the rows are short, so that the reads of a block share their cache lines.
template <class T>
__global__ void __launch_bounds__(kElementThreads)
    transposed_kernel(T* y, const T* x, std::int64_t R, std::int64_t C) {
  each_element(R * C, [=](std::int64_t i) { y[i] = x[i % R * C + i / R]; });
}

void weigh_choice_naive(Context& ctx, float* weight, const float* score, const std::int32_t* expert,
                        const ChoiceShape& s) {
  MOE_CHECK(expert || s.N == 0 || s.K == s.E, s.K, " of ", s.E, " experts, and no choices");
  account(ctx, 12.0 * s.N * s.K);
  if (s.N > 0) launch(ctx, weigh_kernel, blocks(s.N, kThreads), kThreads, 0, weight, score, expert, s);
}

void weigh_choice_backward_naive(Context& ctx, float* dscore, const float* dweight, const float* score,
                                 const std::int32_t* expert, const ChoiceShape& s) {
  account(ctx, s.N * (4.0 * s.E + 12.0 * s.K));
  if (s.N > 0)
    launch(ctx, weigh_backward_kernel, blocks(s.N, kThreads), kThreads, 0, dscore, dweight, score, expert, s);
}

void keep_by_chance_naive(Context& ctx, std::int32_t* kept, const std::int32_t* expert, const float* weight,
                          const RngKey& key, std::int64_t first_token, std::int64_t N, std::int64_t K) {
  MOE_CHECK(K <= 4, K, " choices, but four draws a token");
  account(ctx, 12.0 * N * K);
  if (N > 0)
    launch(ctx, keep_by_chance_kernel, blocks(N, kThreads), kThreads, 0, kept, expert, weight, key,
           first_token, N, K);
}

void hash_choice_naive(Context& ctx, std::int32_t* expert, const std::int32_t* id, const RngKey& key,
                       const ChoiceShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, s.K, " of ", s.E, " experts");
  account(ctx, 4.0 * s.N * (s.K + 1));
  if (s.N > 0) launch(ctx, hash_kernel, blocks(s.N, kThreads), kThreads, 0, expert, id, key, s);
}

void table_choice_naive(Context& ctx, std::int32_t* expert, const std::int32_t* id, const float* table,
                        std::int64_t V, const RngKey& key, const ChoiceShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, s.K, " of ", s.E, " experts");
  account(ctx, 8.0 * s.N * (s.K + 1));
  if (s.N > 0) launch(ctx, table_kernel, blocks(s.N, kThreads), kThreads, 0, expert, id, table, V, key, s);
}

void keep_top_p_naive(Context& ctx, std::int32_t* kept, const std::int32_t* expert, const float* weight,
                      double threshold, std::int64_t N, std::int64_t K) {
  account(ctx, 12.0 * N * K);
  if (N > 0)
    launch(ctx, keep_top_p_kernel, blocks(N, kThreads), kThreads, 0, kept, expert, weight, threshold, N, K);
}

void group_keys_naive(Context& ctx, std::int32_t* key, const std::int32_t* expert, std::int64_t n,
                      std::int64_t length, std::int64_t E) {
  account(ctx, 8.0 * n);
  if (n > 0) launch(ctx, group_keys_kernel, element_blocks(n), kElementThreads, 0, key, expert, n, length, E);
}

void even_out_nulls_naive(Context& ctx, std::int32_t* count, std::int64_t rows, std::int64_t E,
                          std::int64_t nulls) {
  account(ctx, 8.0 * rows * (E + nulls));
  if (rows > 0) launch(ctx, even_out_kernel, blocks(rows, kThreads), kThreads, 0, count, rows, E, nulls);
}

void biased_score_naive(Context& ctx, float* biased, const float* score, const float* bias,
                        const GroupLimit& limit, const ChoiceShape& s) {
  MOE_CHECK(limit.groups >= 1 && s.E % limit.groups == 0, s.E, " experts in ", limit.groups, " groups");
  account(ctx, 8.0 * s.N * s.E);
  if (s.N > 0) launch(ctx, biased_kernel, blocks(s.N, kThreads), kThreads, 0, biased, score, bias, limit, s);
}

void by_token_naive(Context& ctx, std::int32_t* expert, std::int32_t* by_token, float* weight_by_token,
                    const std::int32_t* token, const float* weight, std::int64_t N, std::int64_t E,
                    std::int64_t C) {
  account(ctx, E * (12.0 * C + (by_token ? 8.0 * N : 0)));
  if (E > 0)
    launch(ctx, by_token_kernel, blocks(E, kThreads), kThreads, 0, expert, by_token, weight_by_token, token,
           weight, N, E, C);
}

void add_counts_naive(Context& ctx, std::int32_t* sum, const std::int32_t* count, std::int64_t E) {
  account(ctx, 12.0 * E);
  if (E > 0) launch(ctx, add_counts_kernel, element_blocks(E), kElementThreads, 0, sum, count, E);
}

void move_bias_naive(Context& ctx, float* bias, const std::int32_t* count, double rate, std::int64_t E) {
  account(ctx, 12.0 * E);
  if (E > 0) launch(ctx, move_bias_kernel, 1, kThreads, 0, bias, count, rate, E);
}

void sigmoid_naive(Context& ctx, float* y, const float* x, std::int64_t n) {
  account(ctx, 8.0 * n);
  if (n > 0) launch(ctx, sigmoid_kernel, element_blocks(n), kElementThreads, 0, y, x, n);
}

void sigmoid_backward_naive(Context& ctx, float* dx, const float* dy, const float* y, std::int64_t n) {
  account(ctx, 12.0 * n);
  if (n > 0) launch(ctx, sigmoid_backward_kernel, element_blocks(n), kElementThreads, 0, dx, dy, y, n);
}

void transposed_float_naive(Context& ctx, float* y, const float* x, std::int64_t R, std::int64_t C) {
  account(ctx, 8.0 * R * C);
  if (R * C > 0) launch(ctx, transposed_kernel<float>, element_blocks(R * C), kElementThreads, 0, y, x, R, C);
}

void transposed_int_naive(Context& ctx, std::int32_t* y, const std::int32_t* x, std::int64_t R,
                          std::int64_t C) {
  account(ctx, 8.0 * R * C);
  if (R * C > 0)
    launch(ctx, transposed_kernel<std::int32_t>, element_blocks(R * C), kElementThreads, 0, y, x, R, C);
}

}  // namespace moe::MOE_BACKEND
