#include <algorithm>

#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/balance_loss/versions.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/squares.hpp"

namespace moe {
namespace {

// Tokens per chunk: at most 64 chunks, because their partial sums are added by one thread.
std::int64_t token_grain(std::int64_t N, std::int64_t bytes_per_token) {
  return std::max(row_grain(bytes_per_token), (N + 63) / 64);
}

double total(const std::int32_t* count, std::int64_t E) {
  double sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += count[e];
  return sum;
}

template <class T>
void add_row(double* sum, const T* x, std::int64_t E) {
#pragma omp simd
  for (std::int64_t e = 0; e < E; ++e) sum[e] += x[e];
}

// sum (E) = Σ over tokens of probability (N, E).
template <class T>
void column_sums(Context& ctx, double* sum, const T* probability, std::int64_t N, std::int64_t E) {
  const std::int64_t grain = token_grain(N, E * sizeof(T)), chunks = (N + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks * E);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    double* share = partial.data() + begin / grain * E;
    std::fill_n(share, E, 0.0);
    for (std::int64_t n = begin; n < end; ++n) add_row(share, probability + n * E, E);
  });
  std::fill_n(sum, E, 0.0);
  for (std::int64_t i = 0; i < chunks * E; ++i) sum[i % E] += partial[i];
}

// One division, of integers when the probabilities are simple: perfect balance then gives 1 without rounding.
template <class T>
void balance_loss_plain(Context& ctx, T* loss, const T* probability, const std::int32_t* count,
                        std::int64_t N, std::int64_t E) {
  account(ctx, 1.0 * sizeof(T) * N * E + 4.0 * E, 1.0 * N * E);
  Scratch<double> sum(ctx, E);
  column_sums(ctx, sum.data(), probability, N, E);
  double together = 0;
  for (std::int64_t e = 0; e < E; ++e) together += count[e] * sum[e];
  const double scale = total(count, E) * N;
  *loss = scale == 0 ? T(0) : static_cast<T>(E * together / scale);
}

template <bool kAccumulate, class T>
void add_scaled(T* y, const T* x, T factor, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = (kAccumulate ? y[i] : T(0)) + factor * x[i];
}

template <class T>
void balance_loss_backward_plain(Context& ctx, T* dprobability, const T* dloss, const std::int32_t* count,
                                 std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(T) * (accumulate ? 2.0 : 1.0) * N * E + 4.0 * E, (accumulate ? 1.0 : 0.0) * N * E);
  const double scale = total(count, E) * N;
  Scratch<T> row(ctx, E);  // the same for every token
  for (std::int64_t e = 0; e < E; ++e)
    row[e] = scale == 0 ? T(0) : static_cast<T>(static_cast<double>(*dloss) * E * count[e] / scale);
  const auto write = accumulate ? add_scaled<true, T> : add_scaled<false, T>;
  parallel_for(ctx, N, row_grain(E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) write(dprobability + n * E, row.data(), T(1), E);
  });
}

template <class T>
void z_loss_plain(Context& ctx, T* loss, const T* logsumexp, std::int64_t N) {
  account(ctx, 1.0 * sizeof(T) * N, 2.0 * N);
  const std::int64_t grain = token_grain(N, sizeof(T)), chunks = (N + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    partial[begin / grain] = squares(logsumexp + begin, end - begin);
  });
  double sum = 0;
  for (std::int64_t i = 0; i < chunks; ++i) sum += partial[i];
  *loss = N == 0 ? T(0) : static_cast<T>(sum / static_cast<double>(N));
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

template <class T>
constexpr Version<BalanceLoss<T>> versions[] = {{"plain", DeviceKind::cpu, 0, balance_loss_plain<T>}};
template <class T>
constexpr Version<BalanceLossBackward<T>> backward_versions[] = {
    {"plain", DeviceKind::cpu, 0, balance_loss_backward_plain<T>}};
template <class T>
constexpr Version<ZLoss<T>> z_versions[] = {{"plain", DeviceKind::cpu, 0, z_loss_plain<T>}};
template <class T>
constexpr Version<ZLossBackward<T>> z_backward_versions[] = {
    {"plain", DeviceKind::cpu, 0, z_loss_backward_plain<T>}};

template <>
constexpr Version<BalanceLoss<float>> versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, balance_loss_plain<float>}, MOE_DEVICE_ROWS("1_naive", balance_loss_naive)};
template <>
constexpr Version<BalanceLossBackward<float>> backward_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, balance_loss_backward_plain<float>},
    MOE_DEVICE_ROWS("1_naive", balance_loss_backward_naive)};
template <>
constexpr Version<ZLoss<float>> z_versions<float>[] = {{"plain", DeviceKind::cpu, 0, z_loss_plain<float>},
                                                       MOE_DEVICE_ROWS("1_naive", z_loss_naive)};
template <>
constexpr Version<ZLossBackward<float>> z_backward_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, z_loss_backward_plain<float>},
    MOE_DEVICE_ROWS("1_naive", z_loss_backward_naive)};

}  // namespace

template <>
Operation<BalanceLoss<float>> balance_loss<float>{"balance_loss", versions<float>};
template <>
Operation<BalanceLoss<double>> balance_loss<double>{"balance_loss", versions<double>};
template <>
Operation<BalanceLossBackward<float>> balance_loss_backward<float>{"balance_loss_backward",
                                                                   backward_versions<float>};
template <>
Operation<BalanceLossBackward<double>> balance_loss_backward<double>{"balance_loss_backward",
                                                                     backward_versions<double>};
template <>
Operation<ZLoss<float>> z_loss<float>{"z_loss", z_versions<float>};
template <>
Operation<ZLoss<double>> z_loss<double>{"z_loss", z_versions<double>};
template <>
Operation<ZLossBackward<float>> z_loss_backward<float>{"z_loss_backward", z_backward_versions<float>};
template <>
Operation<ZLossBackward<double>> z_loss_backward<double>{"z_loss_backward", z_backward_versions<double>};

}  // namespace moe
