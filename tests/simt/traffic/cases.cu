#include "tests/simt/traffic/cases.hpp"

#include "kernels/base/launch.hpp"
#include "kernels/base/mma.cuh"

namespace moe::MOE_BACKEND {
namespace {

__global__ void strided_kernel(float* y, const float* x, StridedCase c) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float value = x[i * c.stride + c.shift];  // strided load
  y[i] = value;                                   // strided store
}

__global__ void vector4_kernel(float* y, const float* x) {
  const float4 v = reinterpret_cast<const float4*>(x)[threadIdx.x];  // vector4 load
  const float4 w = make_float4(v.x + 1, v.y + 1, v.z + 1, v.w + 1);
  reinterpret_cast<float4*>(y)[threadIdx.x] = w;  // vector4 store
}

__global__ void vector2_kernel(float* y, const float* x) {
  float2 v = reinterpret_cast<const float2*>(x)[threadIdx.x];  // vector2 load
  v.y += v.x;
  reinterpret_cast<float2*>(y)[threadIdx.x] = v;  // vector2 store
}

struct Particle {
  float x, y, z, mass;
};

__global__ void array_of_structs_kernel(float* y, const Particle* p) {
  y[threadIdx.x] = p[threadIdx.x].mass;  // structs
}

__global__ void struct_of_arrays_kernel(float* y, const float* mass) {
  y[threadIdx.x] = mass[threadIdx.x];  // arrays
}

__global__ void row_walk_kernel(float* y, const float* x, bool together) {
  float sum = 0;
  for (int k = 0; k < 8; ++k) sum += x[together ? 32 * k + threadIdx.x : 8 * threadIdx.x + k];  // walk
  y[threadIdx.x] = sum;
}

__global__ void ragged_walk_kernel(float* y, const float* x) {
  float sum = 0;
  for (unsigned k = 0; k < threadIdx.x; ++k) sum += x[32 * k + threadIdx.x];  // ragged
  y[threadIdx.x] = sum;
}

__global__ void branches_kernel(float* y, const float* x) {
  if (threadIdx.x % 2)
    y[threadIdx.x] = x[threadIdx.x];  // odd
  else if (threadIdx.x < 16)
    y[threadIdx.x] = -x[32 + threadIdx.x];  // even
}

// Odd lanes come to the load a time more than even ones.
__global__ void late_lanes_kernel(float* y, const float* x, bool meet) {
  float sum = 0;
  for (int k = 0; k < 2; ++k) {
    if (k == 1 || threadIdx.x % 2) sum += x[32 * k + threadIdx.x];  // late
    if (meet) __syncwarp();
  }
  y[threadIdx.x] = sum;
}

__device__ inline float load(const float* x, int i) {
  return x[i];  // helper
}

__global__ void by_helper_kernel(float* y, const float* x) {
  y[threadIdx.x] = load(x, threadIdx.x) + load(x, 2 * threadIdx.x);
}

template <int kPadding>
__global__ void transposition_kernel(float* y, const float* x) {
  __shared__ float tile[32][32 + kPadding];
  tile[threadIdx.y][threadIdx.x] = x[32 * threadIdx.y + threadIdx.x];  // into tile
  __syncthreads();
  y[32 * threadIdx.y + threadIdx.x] = tile[threadIdx.x][threadIdx.y];  // out of tile
}

__global__ void shared_strided_kernel(float* y, int stride) {
  MOE_DYNAMIC_SHARED(float, row);
  for (int i = threadIdx.x; i < 1024; i += 32) row[i] = 1;
  __syncthreads();
  y[threadIdx.x] = row[stride * threadIdx.x];  // shared stride
}

__global__ void shared_vectors_kernel(float* y, int stride) {
  __shared__ float4 row[128];
  for (int i = threadIdx.x; i < 128; i += 32) row[i] = make_float4(1, 2, 3, 4);  // shared vectors in
  __syncthreads();
  const float4 v = row[stride * threadIdx.x];  // shared vectors
  y[threadIdx.x] = v.x + v.w;
}

__global__ void shared_halves_kernel(float* y) {
  __shared__ std::uint16_t row[33];
  row[threadIdx.x + 1] = 1;
  __syncthreads();
  y[threadIdx.x] = row[threadIdx.x + 1];  // halves
}

template <class T>
__global__ void shared_atomics_kernel(float* y, int words) {
  __shared__ T bin[32];
  bin[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bin[threadIdx.x % words], T(1));  // shared atomic
  __syncthreads();
  y[threadIdx.x] = static_cast<float>(bin[threadIdx.x]);
}

__global__ void global_atomics_kernel(float* y, int words) {
  y[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&y[threadIdx.x % words], 1.f);  // global atomic
}

__global__ void matrix_rows_kernel(float* y, int pitch) {
  MOE_DYNAMIC_SHARED(unsigned char, rows);
  for (int i = 4 * threadIdx.x; i < 32 * pitch; i += 128) *reinterpret_cast<unsigned*>(rows + i) = 0;
  __syncthreads();
  unsigned r[4];
  ldmatrix_x4(r, rows + pitch * threadIdx.x);  // ldmatrix
  y[threadIdx.x] = static_cast<float>(r[0] + r[3]);
}

__global__ void asynchronous_copy_kernel(float* y, const float* x) {
  __shared__ float4 row[32];
  cp_async<16>(&row[threadIdx.x], x + 4 * threadIdx.x);  // cp.async
  cp_async_commit_group();
  cp_async_wait_group<0>();  // wait
  y[threadIdx.x] = row[threadIdx.x].y;
}

__global__ void racing_kernel(float* y, const float* x) {
  y[threadIdx.x / 2] = x[threadIdx.x];
}

__global__ void gather_kernel(float* y, const float* x, const std::int32_t* index) {
  y[threadIdx.x] = x[index[threadIdx.x] + 0];  // gather
}

}  // namespace

void strided_copy(Context& ctx, float* y, const float* x, StridedCase c) {
  launch(ctx, strided_kernel, c.blocks, c.threads, 0, y, x, c);
}
void vector4_copy(Context& ctx, float* y, const float* x, int) {
  launch(ctx, vector4_kernel, 1, 32, 0, y, x);
}
void vector2_copy(Context& ctx, float* y, const float* x, int) {
  launch(ctx, vector2_kernel, 1, 32, 0, y, x);
}
void array_of_structs(Context& ctx, float* y, const float* x, int) {
  launch(ctx, array_of_structs_kernel, 1, 32, 0, y, reinterpret_cast<const Particle*>(x));
}
void struct_of_arrays(Context& ctx, float* y, const float* x, int) {
  launch(ctx, struct_of_arrays_kernel, 1, 32, 0, y, x + 96);
}
void row_walk(Context& ctx, float* y, const float* x, int variant) {
  launch(ctx, row_walk_kernel, 1, 32, 0, y, x, variant == 1);
}
void ragged_walk(Context& ctx, float* y, const float* x, int) {
  launch(ctx, ragged_walk_kernel, 1, 32, 0, y, x);
}
void branches(Context& ctx, float* y, const float* x, int) {
  launch(ctx, branches_kernel, 1, 32, 0, y, x);
}
void late_lanes(Context& ctx, float* y, const float* x, int variant) {
  launch(ctx, late_lanes_kernel, 1, 32, 0, y, x, variant == 1);
}
void by_helper(Context& ctx, float* y, const float* x, int) {
  launch(ctx, by_helper_kernel, 1, 32, 0, y, x);
}
void transposition(Context& ctx, float* y, const float* x, int variant) {
  launch(ctx, variant == 1 ? transposition_kernel<1> : transposition_kernel<0>, 1, dim3(32, 32), 0, y, x);
}
void shared_strided(Context& ctx, float* y, const float*, int variant) {
  launch(ctx, shared_strided_kernel, 1, 32, 4096, y, variant);
}
void shared_vectors(Context& ctx, float* y, const float*, int variant) {
  launch(ctx, shared_vectors_kernel, 1, 32, 0, y, variant);
}
void shared_halves(Context& ctx, float* y, const float*, int) {
  launch(ctx, shared_halves_kernel, 1, 32, 0, y);
}
void shared_atomics(Context& ctx, float* y, const float*, int variant) {
  launch(ctx, shared_atomics_kernel<int>, 1, 32, 0, y, variant);
  launch(ctx, shared_atomics_kernel<float>, 1, 32, 0, y, variant);
}
void global_atomics(Context& ctx, float* y, const float*, int variant) {
  launch(ctx, global_atomics_kernel, 1, 32, 0, y, variant);
}
void matrix_rows(Context& ctx, float* y, const float*, int variant) {
  launch(ctx, matrix_rows_kernel, 1, 32, 32 * variant, y, variant);
}
void asynchronous_copy(Context& ctx, float* y, const float* x, int) {
  launch(ctx, asynchronous_copy_kernel, 1, 32, 0, y, x);
}
void racing(Context& ctx, float* y, const float* x, int) {
  launch(ctx, racing_kernel, 1, 32, 0, y, x);
}
void gather(Context& ctx, float* y, const float* x, const std::int32_t* index) {
  launch(ctx, gather_kernel, 1, 32, 0, y, x, index);
}

}  // namespace moe::MOE_BACKEND
