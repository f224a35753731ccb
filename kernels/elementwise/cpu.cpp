#include "kernels/base/parallel.hpp"
#include "kernels/base/squares.hpp"
#include "kernels/base/tables.hpp"
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
void add_squares_plain(Context& ctx, double* sum, const T* x, std::int64_t n, bool accumulate) {
  account(ctx, 1.0 * sizeof(T) * n, 2.0 * n);
  const std::int64_t grain = row_grain(sizeof(T));
  const std::int64_t chunks = (n + grain - 1) / grain;
  Scratch<double> partial(ctx, chunks);
  parallel_for(ctx, n, grain, [&](std::int64_t begin, std::int64_t end) {
    partial[begin / grain] = squares(x + begin, end - begin);
  });
  if (!accumulate) *sum = 0;
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

}  // namespace

MOE_TABLE(Fill, fill, float, fill_plain, MOE_DEVICE_ROWS("1_naive", fill_float_naive))
MOE_TABLE(Fill, fill, double, fill_plain, MOE_DEVICE_ROWS("1_naive", fill_double_naive))
MOE_TABLES(Add, add, add_plain)
MOE_TABLES(ScaleBy, scale_by, scale_by_plain)
MOE_TABLES(FillNormal, fill_normal, fill_normal_plain)
MOE_TABLES(AddSquares, add_squares, add_squares_plain)
MOE_TABLES(RoundMantissa, round_mantissa, round_mantissa_plain)

}  // namespace moe
