// The baseline that a library of matrix products gives: grouped GEMMs (cuBLAS's on a GPU), the gate as a pass of its own between
// them. Groups are described on the host, so that the device is waited for once a call, to read the offsets back; and the
// activations pass through memory four times where 1_tiled has them in registers. Never chosen by itself: --kernels.
#include <vector>

#include "kernels/base/copy.hpp"
#include "kernels/gemm/grouped_gemm.hpp"
#include "kernels/grouped_ffn/swiglu.cuh"
#include "kernels/grouped_ffn/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr unsigned kGateThreads = 256;

std::vector<std::int32_t> read_back(Context& ctx, const std::int32_t* offset, std::int64_t E) {
  std::vector<std::int32_t> host(static_cast<std::size_t>(E + 1));
  copy_to_host(ctx, host.data(), offset, host.size() * sizeof(std::int32_t));
  return host;
}

// group(e, first row, number of rows) for every expert, as one call of the library.
template <class Group>
void for_each_expert(Context& ctx, const std::vector<std::int32_t>& offset, Group&& group) {
  std::vector<GemmGroup> groups;
  for (std::size_t e = 0; e + 1 < offset.size(); ++e)
    groups.push_back(group(static_cast<std::int64_t>(e), std::int64_t{offset[e]},
                           std::int64_t{offset[e + 1]} - offset[e]));
  grouped_gemm(ctx, groups);
}

}  // namespace

__global__ void swiglu_kernel(float* __restrict__ act, const float* __restrict__ hidden, std::int64_t rows,
                              std::int64_t F) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= rows * F) return;
  const float* h = hidden + i / F * 2 * F + i % F;
  act[i] = swiglu(h[0], h[F]);
}

// act holds d(act) and leaves holding act; hidden [h | u] and leaves holding its gradient.
__global__ void swiglu_backward_kernel(float* __restrict__ act, float* __restrict__ hidden, std::int64_t rows,
                                       std::int64_t F) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= rows * F) return;
  float* h = hidden + i / F * 2 * F + i % F;
  const SwigluGradient g = swiglu_backward(act[i], h[0], h[F]);
  act[i] = g.act;
  h[0] = g.h;
  h[F] = g.u;
}

void grouped_ffn_library(Context& ctx, float* y, float* hidden, const float* x, const FfnWeights<float>& w,
                         const std::int32_t* offset, const FfnShape& s) {
  if (s.A == 0 || s.E == 0) return;
  const std::vector<std::int32_t> at = read_back(ctx, offset, s.E);
  const std::int64_t rows = at.back();
  if (rows == 0) return;
  Scratch<float> act(ctx, rows * s.F), own(ctx, hidden ? 0 : rows * 2 * s.F);
  float* h = hidden ? hidden : own.data();
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{h + r * 2 * s.F, x + r * s.D, w.gate_up + e * 2 * s.F * s.D,
                     gemm_shape(n, 2 * s.F, s.D, Transpose::no, Transpose::yes)};
  });
  account(ctx, sizeof(float) * 3.0 * rows * s.F);  // the products account for themselves
  launch(ctx, swiglu_kernel, blocks(rows * s.F, kGateThreads), kGateThreads, 0, act.data(), h, rows, s.F);
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{y + r * s.D, act.data() + r * s.F, w.down + e * s.D * s.F,
                     gemm_shape(n, s.D, s.F, Transpose::no, Transpose::yes)};
  });
}

void grouped_ffn_backward_library(Context& ctx, const FfnGradients<float>& g, const float* dy, const float* x,
                                  float* hidden, const FfnWeights<float>& w, const std::int32_t* offset,
                                  const FfnShape& s) {
  if (s.E == 0) return;
  const std::vector<std::int32_t> at = read_back(ctx, offset, s.E);
  const std::int64_t rows = at.back();
  const double beta = g.accumulate ? 1 : 0;
  Scratch<float> act(ctx, rows * s.F);
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{act.data() + r * s.F, dy + r * s.D, w.down + e * s.D * s.F, gemm_shape(n, s.F, s.D)};
  });
  account(ctx, sizeof(float) * 6.0 * rows * s.F);
  if (rows > 0)
    launch(ctx, swiglu_backward_kernel, blocks(rows * s.F, kGateThreads), kGateThreads, 0, act.data(), hidden,
           rows, s.F);
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{g.x + r * s.D, hidden + r * 2 * s.F, w.gate_up + e * 2 * s.F * s.D,
                     gemm_shape(n, s.D, 2 * s.F)};
  });
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{g.gate_up + e * 2 * s.F * s.D, hidden + r * 2 * s.F, x + r * s.D,
                     gemm_shape(2 * s.F, s.D, n, Transpose::yes, Transpose::no, beta)};
  });
  for_each_expert(ctx, at, [&](std::int64_t e, std::int64_t r, std::int64_t n) {
    return GemmGroup{g.down + e * s.D * s.F, dy + r * s.D, act.data() + r * s.F,
                     gemm_shape(s.D, s.F, n, Transpose::yes, Transpose::no, beta)};
  });
}

}  // namespace moe::MOE_BACKEND
