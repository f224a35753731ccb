#include "kernels/base/parallel.hpp"
#include "kernels/base/squares.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/elementwise/mantissa.hpp"
#include "kernels/elementwise/versions.hpp"

namespace moe {
namespace {

template <class T>
void fill_plain(Context& ctx, T* y, double value, std::int64_t n) {
  account(ctx, 1.0 * sizeof(T) * n, 0);
  parallel_for(ctx, n, row_grain(sizeof(T)),
               [y, v = static_cast<T>(value)](std::int64_t begin, std::int64_t end) {
                 std::fill(y + begin, y + end, v);
               });
}

template <class T>
void add_plain(Context& ctx, T* y, const T* a, const T* b, std::int64_t n) {
  account(ctx, 3.0 * sizeof(T) * n, 1.0 * n);
  parallel_for(ctx, n, row_grain(3 * sizeof(T)), [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) y[i] = a[i] + b[i];
  });
}

// The factor lies in device memory: reading it on the host would stop a GPU.
template <class T>
void scale_by_plain(Context& ctx, T* y, const T* x, const T* factor, std::int64_t n) {
  if (*factor == T(1) && y == x) return;
  account(ctx, 2.0 * sizeof(T) * n, 1.0 * n);
  parallel_for(ctx, n, row_grain(2 * sizeof(T)), [=, f = *factor](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) y[i] = f * x[i];
  });
}

// Computes, not copies: about 50 ns a number. It runs once, at the start.
template <class T>
void fill_normal_plain(Context& ctx, T* y, double deviation, const RngKey& key, std::int64_t n) {
  account(ctx, 1.0 * sizeof(T) * n, 0);
  parallel_for(ctx, n, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = static_cast<T>(deviation * normal(key, i));
  });
}

template <class T>
void add_squares_plain(Context& ctx, double* sum, const T* x, std::int64_t n) {
  account(ctx, 1.0 * sizeof(T) * n, 2.0 * n);
  const std::int64_t grain = row_grain(sizeof(T));
  const std::int64_t chunks = (n + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks);
  parallel_for(ctx, n, grain, [&](std::int64_t begin, std::int64_t end) {
    partial[begin / grain] = squares(x + begin, end - begin);
  });
  for (std::int64_t i = 0; i < chunks; ++i) *sum += partial[i];
}

template <class T>
void round_mantissa_plain(Context& ctx, T* y, const T* x, int bits, std::int64_t n) {
  MOE_CHECK(bits >= 1, bits, " bits");
  account(ctx, 2.0 * sizeof(T) * n);
  parallel_for(ctx, n, row_grain(2 * sizeof(T)), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = detail::round_mantissa_of(x[i], bits);
  });
}

template <class T>
constexpr Version<Fill<T>> fill_versions[] = {{"plain", DeviceKind::cpu, 0, fill_plain<T>}};
template <class T>
constexpr Version<Add<T>> add_versions[] = {{"plain", DeviceKind::cpu, 0, add_plain<T>}};
template <class T>
constexpr Version<ScaleBy<T>> scale_by_versions[] = {{"plain", DeviceKind::cpu, 0, scale_by_plain<T>}};
template <class T>
constexpr Version<FillNormal<T>> fill_normal_versions[] = {
    {"plain", DeviceKind::cpu, 0, fill_normal_plain<T>}};
template <class T>
constexpr Version<AddSquares<T>> add_squares_versions[] = {
    {"plain", DeviceKind::cpu, 0, add_squares_plain<T>}};
template <class T>
constexpr Version<RoundMantissa<T>> round_mantissa_versions[] = {
    {"plain", DeviceKind::cpu, 0, round_mantissa_plain<T>}};

template <>
constexpr Version<Fill<float>> fill_versions<float>[] = {{"plain", DeviceKind::cpu, 0, fill_plain<float>},
                                                         MOE_DEVICE_ROWS("1_naive", fill_float_naive)};
template <>
constexpr Version<Fill<double>> fill_versions<double>[] = {{"plain", DeviceKind::cpu, 0, fill_plain<double>},
                                                           MOE_DEVICE_ROWS("1_naive", fill_double_naive)};
template <>
constexpr Version<Add<float>> add_versions<float>[] = {{"plain", DeviceKind::cpu, 0, add_plain<float>},
                                                       MOE_DEVICE_ROWS("1_naive", add_naive)};
template <>
constexpr Version<ScaleBy<float>> scale_by_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, scale_by_plain<float>}, MOE_DEVICE_ROWS("1_naive", scale_by_naive)};
template <>
constexpr Version<FillNormal<float>> fill_normal_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, fill_normal_plain<float>}, MOE_DEVICE_ROWS("1_naive", fill_normal_naive)};
template <>
constexpr Version<AddSquares<float>> add_squares_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, add_squares_plain<float>}, MOE_DEVICE_ROWS("1_naive", add_squares_naive)};
template <>
constexpr Version<RoundMantissa<float>> round_mantissa_versions<float>[] = {
    {"plain", DeviceKind::cpu, 0, round_mantissa_plain<float>},
    MOE_DEVICE_ROWS("1_naive", round_mantissa_naive)};

}  // namespace

template <>
Operation<Fill<float>> fill<float>{"fill", fill_versions<float>};
template <>
Operation<Fill<double>> fill<double>{"fill", fill_versions<double>};
template <>
Operation<Add<float>> add<float>{"add", add_versions<float>};
template <>
Operation<Add<double>> add<double>{"add", add_versions<double>};
template <>
Operation<ScaleBy<float>> scale_by<float>{"scale_by", scale_by_versions<float>};
template <>
Operation<ScaleBy<double>> scale_by<double>{"scale_by", scale_by_versions<double>};
template <>
Operation<FillNormal<float>> fill_normal<float>{"fill_normal", fill_normal_versions<float>};
template <>
Operation<FillNormal<double>> fill_normal<double>{"fill_normal", fill_normal_versions<double>};
template <>
Operation<AddSquares<float>> add_squares<float>{"add_squares", add_squares_versions<float>};
template <>
Operation<AddSquares<double>> add_squares<double>{"add_squares", add_squares_versions<double>};
template <>
Operation<RoundMantissa<float>> round_mantissa<float>{"round_mantissa", round_mantissa_versions<float>};
template <>
Operation<RoundMantissa<double>> round_mantissa<double>{"round_mantissa", round_mantissa_versions<double>};

}  // namespace moe
