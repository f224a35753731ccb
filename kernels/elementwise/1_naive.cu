// A thread takes eight elements, one at a time. The sum of squares goes through partial sums of stretches, which one
// block adds: no float atomics, so the same bytes every time.
#include <algorithm>

#include "kernels/base/elements.cuh"
#include "kernels/base/sums.cuh"
#include "kernels/elementwise/mantissa.hpp"
#include "kernels/elementwise/versions.hpp"

namespace moe::MOE_BACKEND {

template <class T>
__global__ void __launch_bounds__(kElementThreads) fill_kernel(T* y, T value, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { y[i] = value; });
}

__global__ void __launch_bounds__(kElementThreads)
    add_kernel(float* y, const float* a, const float* b, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { y[i] = a[i] + b[i]; });
}

__global__ void __launch_bounds__(kElementThreads)
    scale_by_kernel(float* y, const float* x, const float* factor, std::int64_t n) {
  const float f = *factor;
  if (f == 1 && y == x) return;
  each_element(n, [=](std::int64_t i) { y[i] = f * x[i]; });
}

__global__ void __launch_bounds__(kElementThreads)
    fill_normal_kernel(float* y, double deviation, RngKey key, std::int64_t n) {
  each_element(n, [=](std::int64_t i) {
    y[i] = static_cast<float>(deviation * normal(key, static_cast<std::uint64_t>(i)));
  });
}

__global__ void __launch_bounds__(kElementThreads)
    round_mantissa_kernel(float* y, const float* x, int bits, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { y[i] = detail::round_mantissa_of(x[i], bits); });
}

// partial[block] = Σ x² over the block's stretch.
__global__ void __launch_bounds__(kSumThreads)
    squares_kernel(double* partial, const float* x, std::int64_t n, std::int64_t stretch) {
  const std::int64_t begin = blockIdx.x * stretch, end = begin + stretch < n ? begin + stretch : n;
  const double sum = block_sum_of(begin, end, [=](std::int64_t i) { return square(x[i]); });
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kSumThreads)
    add_partials_kernel(double* sum, const double* partial, std::int64_t n, bool accumulate) {
  const double all = block_sum_of(0, n, [=](std::int64_t i) { return partial[i]; });
  if (threadIdx.x == 0) *sum = accumulate ? *sum + all : all;
}

namespace {

template <class T>
void fill_with(Context& ctx, T* y, double value, std::int64_t n) {
  account(ctx, 1.0 * sizeof(T) * n);
  if (n > 0) launch(ctx, fill_kernel<T>, element_blocks(n), kElementThreads, 0, y, static_cast<T>(value), n);
}

}  // namespace

void fill_float_naive(Context& ctx, float* y, double value, std::int64_t n) {
  fill_with(ctx, y, value, n);
}

void fill_double_naive(Context& ctx, double* y, double value, std::int64_t n) {
  fill_with(ctx, y, value, n);
}

void add_naive(Context& ctx, float* y, const float* a, const float* b, std::int64_t n) {
  account(ctx, 3.0 * sizeof(float) * n, 1.0 * n);
  if (n > 0) launch(ctx, add_kernel, element_blocks(n), kElementThreads, 0, y, a, b, n);
}

void scale_by_naive(Context& ctx, float* y, const float* x, const float* factor, std::int64_t n) {
  account(ctx, 2.0 * sizeof(float) * n, 1.0 * n);
  if (n > 0) launch(ctx, scale_by_kernel, element_blocks(n), kElementThreads, 0, y, x, factor, n);
}

void fill_normal_naive(Context& ctx, float* y, double deviation, const RngKey& key, std::int64_t n) {
  account(ctx, 1.0 * sizeof(float) * n);
  if (n > 0) launch(ctx, fill_normal_kernel, element_blocks(n), kElementThreads, 0, y, deviation, key, n);
}

void round_mantissa_naive(Context& ctx, float* y, const float* x, int bits, std::int64_t n) {
  MOE_CHECK(bits >= 1, bits, " bits");
  account(ctx, 2.0 * sizeof(float) * n);
  if (n > 0) launch(ctx, round_mantissa_kernel, element_blocks(n), kElementThreads, 0, y, x, bits, n);
}

void add_squares_naive(Context& ctx, double* sum, const float* x, std::int64_t n, bool accumulate) {
  account(ctx, 1.0 * sizeof(float) * n, 2.0 * n);
  // At most 1024 partial sums, four for a thread of the block that adds them.
  const std::int64_t stretch = std::max<std::int64_t>(16 * kSumThreads, (n + 1023) / 1024);
  const unsigned stretches = blocks(n, stretch);
  Scratch<double> partial(ctx, stretches);
  if (n > 0) launch(ctx, squares_kernel, stretches, kSumThreads, 0, partial.data(), x, n, stretch);
  launch(ctx, add_partials_kernel, 1, kSumThreads, 0, sum, partial.data(), stretches, accumulate);
}

}  // namespace moe::MOE_BACKEND
