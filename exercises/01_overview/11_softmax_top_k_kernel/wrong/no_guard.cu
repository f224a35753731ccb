// fails: HandCase RaggedSizes
// Warps beyond the last row go on.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kRowsPerBlock = 4;  // a warp takes a row
constexpr unsigned kAllLanes = 0xffffffff;

__device__ float warp_sum(float x) {
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(kAllLanes, x, distance);
  return x;
}

__device__ float warp_max(float x) {
  for (int distance = 16; distance > 0; distance /= 2) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, distance));
  return x;
}

struct Candidate {
  float logit;
  int expert;
};

// The order of choosing: by falling logit, ties to the lower expert. No two candidates of a row are equal in it.
__device__ bool before(Candidate a, Candidate b) {
  return a.logit > b.logit || (a.logit == b.logit && a.expert < b.expert);
}

// Every lane gets the first of all lanes' candidates.
__device__ Candidate warp_first(Candidate c) {
  for (int distance = 16; distance > 0; distance /= 2) {
    const Candidate other{__shfl_xor_sync(kAllLanes, c.logit, distance),
                          __shfl_xor_sync(kAllLanes, c.expert, distance)};
    if (before(other, c)) c = other;
  }
  return c;
}

__global__ void softmax_top_k_kernel(float* probability, std::int32_t* expert, float* weight,
                                     const float* logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.x / 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const float* x = logit + row * E;
  float top = -INFINITY, sum = 0;
  for (std::int64_t e = lane; e < E; e += 32) top = fmaxf(top, x[e]);
  top = warp_max(top);
  for (std::int64_t e = lane; e < E; e += 32) sum += expf(x[e] - top);
  sum = warp_sum(sum);
  for (std::int64_t e = lane; e < E; e += 32) probability[row * E + e] = expf(x[e] - top) / sum;

  Candidate last{INFINITY, -1};
  float chosen = 0;
  for (std::int64_t k = 0; k < K; ++k) {
    Candidate best{-INFINITY, 0x7fffffff};
    for (std::int64_t e = lane; e < E; e += 32) {
      const Candidate c{x[e], static_cast<int>(e)};
      if (before(last, c) && before(c, best)) best = c;
    }
    last = warp_first(best);
    chosen += expf(last.logit - top);
    if (lane == 0) expert[row * K + k] = last.expert;
    if (lane == 0) weight[row * K + k] = expf(last.logit - top);
  }
  if (lane == 0)
    for (std::int64_t k = 0; k < K; ++k) weight[row * K + k] /= chosen;
}

void softmax_top_k(Context& ctx, float* probability, std::int32_t* expert, float* weight, const float* logit,
                   std::int64_t N, std::int64_t E, std::int64_t K) {
  if (N == 0) return;
  launch(ctx, softmax_top_k_kernel, blocks(N, kRowsPerBlock), 32 * kRowsPerBlock, 0, probability, expert,
         weight, logit, N, E, K);
}

}  // namespace moe::MOE_BACKEND
