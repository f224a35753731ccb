#include <algorithm>

#include "kernels/balance_loss/row.hpp"
#include "kernels/balance_loss/sums.hpp"
#include "kernels/balance_loss/versions.hpp"
#include "kernels/base/squares.hpp"
#include "kernels/base/tables.hpp"

namespace moe {
namespace {

// Σ / N of what `sum_of(begin, end)` gives for stretches of tokens; 0 without tokens.
template <class Sum>
double mean_over_tokens(Context& ctx, std::int64_t N, std::int64_t bytes_per_token, Sum sum_of) {
  const std::int64_t grain = sum_grain(N, bytes_per_token), chunks = (N + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks);
  parallel_for(ctx, N, grain,
               [&](std::int64_t begin, std::int64_t end) { partial[begin / grain] = sum_of(begin, end); });
  double sum = 0;
  for (std::int64_t i = 0; i < chunks; ++i) sum += partial[i];
  return N == 0 ? 0 : sum / static_cast<double>(N);
}

// sum (E) = Σ over tokens of probability (N, E).
template <class T>
void column_sums(Context& ctx, double* sum, const T* probability, std::int64_t N, std::int64_t E) {
  const std::int64_t grain = sum_grain(N, E * sizeof(T)), chunks = (N + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks * E);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    double* share = partial.data() + begin / grain * E;
    std::fill_n(share, E, 0.0);
    for (std::int64_t n = begin; n < end; ++n) detail::add_row(share, probability + n * E, E);
  });
  std::fill_n(sum, E, 0.0);
  for (std::int64_t i = 0; i < chunks * E; ++i) sum[i % E] += partial[i];
}

template <class T>
void balance_loss_plain(Context& ctx, T* loss, const T* probability, const std::int32_t* count,
                        const BalanceShape& s) {
  MOE_CHECK(s.S >= 1 && s.N % s.S == 0, s.N, " tokens in ", s.S, " groups");
  account(ctx, 1.0 * sizeof(T) * s.N * s.E + 4.0 * s.S * s.E, 1.0 * s.N * s.E);
  Scratch<double> sum(ctx, s.E);
  const std::int64_t tokens = s.N / s.S;
  double all = 0;
  for (std::int64_t g = 0; g < s.S; ++g) {
    column_sums(ctx, sum.data(), probability + g * tokens * s.E, tokens, s.E);
    all += detail::balance_of(sum.data(), count + g * s.E, s.E, tokens);
  }
  *loss = static_cast<T>(all / static_cast<double>(s.S));
}

template <bool kAccumulate, class T>
void add_scaled(T* y, const T* x, T factor, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = (kAccumulate ? y[i] : T(0)) + factor * x[i];
}

template <class T>
void balance_loss_backward_plain(Context& ctx, T* dprobability, const T* dloss, const std::int32_t* count,
                                 const BalanceShape& s, bool accumulate) {
  account(ctx, sizeof(T) * (accumulate ? 2.0 : 1.0) * s.N * s.E + 4.0 * s.S * s.E,
          (accumulate ? 1.0 : 0.0) * s.N * s.E);
  Scratch<T> row(ctx, s.S * s.E);  // the same for every token of a group
  for (std::int64_t g = 0; g < s.S; ++g) {
    const double choices = detail::total_of(count + g * s.E, s.E);
    for (std::int64_t i = g * s.E; i < (g + 1) * s.E; ++i)
      row[i] = static_cast<T>(detail::balance_gradient(*dloss, count[i], choices, s));
  }
  const auto write = accumulate ? add_scaled<true, T> : add_scaled<false, T>;
  const std::int64_t tokens = std::max<std::int64_t>(1, s.N / s.S);
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      write(dprobability + n * s.E, row.data() + n / tokens * s.E, T(1), s.E);
  });
}

detail::Spread spread_of(const double* sum, std::int64_t E) {
  detail::Spread spread{0, 0};
  for (std::int64_t e = 0; e < E; ++e) spread.sum += sum[e], spread.squares += sum[e] * sum[e];
  return spread;
}

template <class T>
void squared_variation_plain(Context& ctx, T* loss, double* sum, const T* x, std::int64_t N, std::int64_t E) {
  account(ctx, 1.0 * sizeof(T) * N * E, 1.0 * N * E);
  column_sums(ctx, sum, x, N, E);
  *loss = static_cast<T>(detail::variation(spread_of(sum, E), E));
}

template <class T>
void squared_variation_backward_plain(Context& ctx, T* dx, const T* dloss, const double* sum, std::int64_t N,
                                      std::int64_t E, bool accumulate) {
  account(ctx, sizeof(T) * (accumulate ? 2.0 : 1.0) * N * E, (accumulate ? 1.0 : 0.0) * N * E);
  const detail::Spread spread = spread_of(sum, E);
  Scratch<T> row(ctx, E);
  for (std::int64_t e = 0; e < E; ++e)
    row[e] = static_cast<T>(static_cast<double>(*dloss) * detail::variation_gradient(sum[e], spread, E));
  const auto write = accumulate ? add_scaled<true, T> : add_scaled<false, T>;
  parallel_for(ctx, N, row_grain(E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) write(dx + n * E, row.data(), T(1), E);
  });
}

template <class T>
void entropy_loss_plain(Context& ctx, T* loss, const T* probability, std::int64_t N, std::int64_t E) {
  account(ctx, 1.0 * sizeof(T) * N * E, 3.0 * N * E);
  const double mean = mean_over_tokens(ctx, N, E * sizeof(T), [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin * E; i < end * E; ++i) sum += detail::entropy_term(probability[i]);
    return sum;
  });
  *loss = static_cast<T>(mean);
}

template <class T>
void entropy_loss_backward_plain(Context& ctx, T* dprobability, const T* dloss, const T* probability,
                                 std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(T) * (accumulate ? 3.0 : 2.0) * N * E, 3.0 * N * E);
  const T scale = static_cast<T>(static_cast<double>(*dloss) / static_cast<double>(N));
  parallel_for(ctx, N * E, row_grain(3 * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      dprobability[i] =
          (accumulate ? dprobability[i] : T(0)) + detail::entropy_gradient(probability[i], scale);
  });
}

template <class T>
void z_loss_plain(Context& ctx, T* loss, const T* logsumexp, std::int64_t N) {
  account(ctx, 1.0 * sizeof(T) * N, 2.0 * N);
  *loss = static_cast<T>(mean_over_tokens(ctx, N, sizeof(T), [&](std::int64_t begin, std::int64_t end) {
    return squares(logsumexp + begin, end - begin);
  }));
}

template <class T>
void z_loss_backward_plain(Context& ctx, T* dlogits, const T* dloss, const T* logsumexp, const T* probability,
                           std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(T) * ((accumulate ? 3.0 : 2.0) * N * E + N), (accumulate ? 2.0 : 1.0) * N * E);
  const auto write = accumulate ? add_scaled<true, T> : add_scaled<false, T>;
  const T scale = static_cast<T>(2 * static_cast<double>(*dloss) / static_cast<double>(N));
  parallel_for(ctx, N, row_grain(2 * E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      write(dlogits + n * E, probability + n * E, scale * logsumexp[n], E);
  });
}

}  // namespace

MOE_TABLES(BalanceLoss, balance_loss, balance_loss_plain)
MOE_TABLES(BalanceLossBackward, balance_loss_backward, balance_loss_backward_plain)
MOE_TABLES(SquaredVariation, squared_variation, squared_variation_plain)
MOE_TABLES(SquaredVariationBackward, squared_variation_backward, squared_variation_backward_plain)
MOE_TABLES(EntropyLoss, entropy_loss, entropy_loss_plain)
MOE_TABLES(EntropyLossBackward, entropy_loss_backward, entropy_loss_backward_plain)
MOE_TABLES(ZLoss, z_loss, z_loss_plain)
MOE_TABLES(ZLossBackward, z_loss_backward, z_loss_backward_plain)

}  // namespace moe
