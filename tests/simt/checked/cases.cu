#include "tests/simt/checked/cases.hpp"

#include <cstring>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {
namespace {

// A cell of the checker's memory is wider than these elements: neighbours are not each other.
template <class T>
__global__ void neighbours_kernel(T* y, int distance) {
  y[threadIdx.x / distance] = T(threadIdx.x);
}

__global__ void half_warps_kernel(float* y, const float* x, int distance) {
  __shared__ float row[32];
  row[threadIdx.x] = x[threadIdx.x];
  if (threadIdx.x < 16)
    __syncwarp(0x0000ffff);
  else
    __syncwarp(0xffff0000);
  y[threadIdx.x] = row[threadIdx.x ^ distance];  // 8: same half; 16: the other
}

__global__ void shuffle_between_kernel(float* y, const float* x, bool sync) {
  __shared__ float row[32];
  row[threadIdx.x] = x[threadIdx.x];
  const float other = __shfl_xor_sync(0xffffffff, x[threadIdx.x], 1);
  if (sync) __syncwarp();
  y[threadIdx.x] = row[threadIdx.x ^ 1] - other;
}

__global__ void atomic_then_plain_kernel(float* y, bool sync) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, 1);
  if (sync) __syncthreads();
  y[threadIdx.x] = static_cast<float>(sum);
}

// 2500 barriers; without the last of a round, thread 0 overtakes the readers.
__global__ void many_barriers_kernel(float* y, bool sync) {
  __shared__ int round;
  int sum = 0;
  for (int i = 0; i < 1250; ++i) {
    if (threadIdx.x == 0) round = i;
    __syncthreads();
    sum += round;
    if (sync || i < 1200) __syncthreads();
  }
  y[threadIdx.x] = static_cast<float>(sum);
}

__global__ void copy_kernel(float* y, const float* x, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
}

__global__ void block_copy_kernel(float* y, const float* x, std::int64_t bytes) {
  if (threadIdx.x == 0) memcpy(y, x, static_cast<std::size_t>(bytes));
}

__global__ void fixed_copy_kernel(float* y, const float* x) {
  memcpy(y, x, 24);
}

__global__ void fixed_fill_kernel(float* y) {
  memset(y, 0, 24);
}

__global__ void last_vector_kernel(float* y, const float* x, std::int64_t first) {
  const float4 four = *reinterpret_cast<const float4*>(x + first);
  y[0] = four.x + four.y + four.z + four.w;
}

__global__ void local_of_another_kernel(float* y, bool other) {
  __shared__ float* place[2];
  float mine = static_cast<float>(threadIdx.x);
  place[threadIdx.x] = &mine;
  __syncthreads();
  y[threadIdx.x] = *place[other ? 1 - threadIdx.x : threadIdx.x];
  __syncthreads();
}

__global__ void shared_of_last_block_kernel(float* y, bool every) {
  __shared__ float kept;
  if (every || blockIdx.x == 0) kept = 1;
  y[blockIdx.x] = kept;
}

__device__ const float kTable[4] = {1, 2, 3, 4};

__global__ void constants_kernel(float* y, bool write) {
  const float* table = kTable + threadIdx.x % 4;
  if (write) *const_cast<float*>(table) = 0;
  y[threadIdx.x] = *table;
}

__global__ void half_written_kernel(float* y, bool all) {
  const float2 two{1, 2};
  if (all) y[2 * threadIdx.x + 1] = two.y;
  y[2 * threadIdx.x] = two.x;
  const double both = *reinterpret_cast<const double*>(y + 2 * threadIdx.x);
  y[2 * threadIdx.x] = both > 0 ? 1.f : 0.f;
}

}  // namespace

void neighbouring_bytes(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, neighbours_kernel<std::uint8_t>, 1, 64, 0, reinterpret_cast<std::uint8_t*>(y), wrong ? 2 : 1);
}
void neighbouring_halves(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, neighbours_kernel<std::uint16_t>, 1, 64, 0, reinterpret_cast<std::uint16_t*>(y), wrong ? 2 : 1);
}
void half_warps(Context& ctx, bool wrong, float* y, const float* x, std::int64_t) {
  launch(ctx, half_warps_kernel, 1, 32, 0, y, x, wrong ? 16 : 8);
}
void shuffle_between(Context& ctx, bool wrong, float* y, const float* x, std::int64_t) {
  launch(ctx, shuffle_between_kernel, 1, 32, 0, y, x, !wrong);
}
void atomic_then_plain(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, atomic_then_plain_kernel, 1, 64, 0, y, !wrong);
}
void many_barriers(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, many_barriers_kernel, 1, 64, 0, y, !wrong);
}
// What one launch writes another may read and overwrite, from any thread.
void two_launches(Context& ctx, bool wrong, float* y, const float* x, std::int64_t n) {
  launch(ctx, copy_kernel, blocks(n, 32), 32, 0, y, x, n);
  launch(ctx, copy_kernel, blocks(n - 1, 32), 32, 0, y, wrong ? y + 1 : x + 1, n - 1);
  launch(ctx, copy_kernel, blocks(n, 64), 64, 0, y, x, n);
}
void block_copy(Context& ctx, bool wrong, float* y, const float* x, std::int64_t n) {
  launch(ctx, block_copy_kernel, 1, 32, 0, y, x, 4 * n + (wrong ? 1 : 0));
}
void fixed_copy(Context& ctx, bool wrong, float* y, const float* x, std::int64_t n) {
  launch(ctx, fixed_copy_kernel, 1, 1, 0, y, x + n - (wrong ? 5 : 6));
}
void fixed_fill(Context& ctx, bool wrong, float* y, const float*, std::int64_t n) {
  launch(ctx, fixed_fill_kernel, 1, 1, 0, y + n - (wrong ? 5 : 6));
}
void last_vector(Context& ctx, bool wrong, float* y, const float* x, std::int64_t n) {
  launch(ctx, last_vector_kernel, 1, 1, 0, y, x, n / 4 * 4 - (wrong ? 0 : 4));
}
void local_of_another(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, local_of_another_kernel, 1, 2, 0, y, wrong);
}
void shared_of_last_block(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, shared_of_last_block_kernel, 3, 1, 0, y, !wrong);
}
void constants(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, constants_kernel, 1, 64, 0, y, wrong);
}
void half_written(Context& ctx, bool wrong, float* y, const float*, std::int64_t) {
  launch(ctx, half_written_kernel, 1, 32, 0, y, !wrong);
}

}  // namespace moe::MOE_BACKEND
