// A thread takes a row and walks it K times, each time for the best score that comes after the last one chosen. So it
// remembers one choice, not K; it reads K·E scores, 32 rows apart in each step of a warp.
#include "kernels/base/warp.cuh"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;

struct Choice {
  float score;
  std::int64_t expert;
};

__device__ bool better(float a, float b) {
  return a > b || (isnan(b) && !isnan(a));
}

// The order of choosing, in which no two experts are equal: by falling score, ties to the lower expert, NaN last.
__device__ bool before(const Choice& a, const Choice& b) {
  return better(a.score, b.score) || (!better(b.score, a.score) && a.expert < b.expert);
}

// The first of the row's E experts, in that order, after `last`; of all where `last` is null.
__device__ Choice first_after(const Choice* last, const float* score, std::int64_t E) {
  Choice best{0, -1};
  for (std::int64_t e = 0; e < E; ++e) {
    const Choice c{score[e], e};
    if ((!last || before(*last, c)) && (best.expert < 0 || before(c, best))) best = c;
  }
  return best;
}

// Sigmoid scores can all underflow; the least sum keeps 0/0 out.
constexpr float kLeastSum = 1e-20f;

}  // namespace

__global__ void __launch_bounds__(kThreads)
    top_k_kernel(std::int32_t* expert, float* weight, const float* score, TopKShape s) {
  const std::int64_t n = global_thread();
  if (n >= s.N) return;
  float sum = 0;
  Choice last{};
  for (std::int64_t k = 0; k < s.K; ++k) {
    last = first_after(k > 0 ? &last : nullptr, score + n * s.E, s.E);
    expert[n * s.K + k] = static_cast<std::int32_t>(last.expert);
    weight[n * s.K + k] = last.score;
    sum += last.score;
  }
  if (!s.renormalise) return;
  if (sum < kLeastSum) sum = kLeastSum;  // NaN passes through
  for (std::int64_t k = 0; k < s.K; ++k) weight[n * s.K + k] /= sum;
}

void top_k_gate_naive(Context& ctx, std::int32_t* expert, float* weight, const float* score,
                      const TopKShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, "top ", s.K, " of ", s.E, " experts");
  account(ctx, s.N * (s.E * sizeof(float) + s.K * (sizeof(float) + 4.0)));
  if (s.N == 0) return;
  launch(ctx, top_k_kernel, blocks(s.N, kThreads), kThreads, 0, expert, weight, score, s);
}

}  // namespace moe::MOE_BACKEND
