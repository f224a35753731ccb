// A thread takes pair i of four rows, in all heads: one exponential for its frequency, one sine and cosine a row. Angles are
// in double, because a float would carry the rounding of position · frequency into the turn.
#include <cmath>

#include "kernels/base/warp.cuh"
#include "kernels/rope/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;
constexpr std::int64_t kRows = 4;  // of a thread

__device__ void turn_pair(float& a, float& b, float cosine, float sine) {
  const float x = a, y = b;
  a = x * cosine - y * sine;
  b = x * sine + y * cosine;
}

}  // namespace

// log_step = ln theta^(-2/W)
__global__ void __launch_bounds__(kThreads)
    rope_kernel(float* x, const std::int32_t* position, double log_step, RopeShape s) {
  const std::int64_t half = s.W / 2;
  const std::int64_t i = global_thread() % half, begin = global_thread() / half * kRows;
  if (begin >= s.N) return;
  const double frequency = exp(log_step * static_cast<double>(i));
  for (std::int64_t n = begin; n < begin + kRows && n < s.N; ++n) {
    double sine, cosine;
    sincos(position[n] * frequency, &sine, &cosine);
    if (s.inverse) sine = -sine;
    for (std::int64_t head = 0; head < s.heads; ++head) {
      float* pair = x + n * s.ld + head * s.W + i;
      turn_pair(pair[0], pair[half], static_cast<float>(cosine), static_cast<float>(sine));
    }
  }
}

void rope_naive(Context& ctx, float* x, const std::int32_t* position, const RopeShape& s) {
  MOE_CHECK(s.W % 2 == 0 && s.heads * s.W <= s.ld, s.heads, " heads of ", s.W, " in rows of ", s.ld);
  account(ctx, 2.0 * sizeof(float) * s.N * s.heads * s.W + 4.0 * s.N, 3.0 * s.N * s.heads * s.W);
  if (s.N * s.heads * s.W == 0) return;
  const double log_step = -2 * std::log(s.theta) / static_cast<double>(s.W);
  const std::int64_t threads = (s.N + kRows - 1) / kRows * (s.W / 2);
  launch(ctx, rope_kernel, blocks(threads, kThreads), kThreads, 0, x, position, log_step, s);
}

}  // namespace moe::MOE_BACKEND
