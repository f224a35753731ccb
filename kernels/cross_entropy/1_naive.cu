// Three launches: count the targets, since every row's gradient is divided by their number; a warp a row, in three
// passes; add the rows' losses. Count and losses stay on the device.
#include "kernels/base/sums.cuh"
#include "kernels/cross_entropy/versions.hpp"

namespace moe::MOE_BACKEND {

// weight (1) = 1 / number of counted rows, 0 if there are none. One block.
__global__ void __launch_bounds__(kSumThreads)
    target_weight_kernel(double* weight, const std::int32_t* target, std::int64_t N) {
  const double counted = block_sum_of(0, N, [=](std::int64_t n) { return target[n] >= 0 ? 1.0 : 0.0; });
  if (threadIdx.x == 0) *weight = counted > 0 ? 1 / counted : 0;
}

// nats (N): the losses. row_loss and dlogits may be null, dlogits may be logits: a lane reads and writes its own
// elements only. So the lane whose element the target is writes the loss: a shuffle orders no memory, and another lane
// might read the target's logit after it has been overwritten.
__global__ void __launch_bounds__(kRowThreads)
    cross_entropy_kernel(double* nats, float* row_loss, float* dlogits, const float* logits,
                         const std::int32_t* target, const double* weight, std::int64_t N, std::int64_t V) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;  // all lanes of the warp
  const float* x = logits + n * V;
  const std::int32_t t = target[n];
  const bool counts = t >= 0;
  float top = -INFINITY, sum = 0;
  if (counts)
    for (std::int64_t c = lane_of_warp(); c < V; c += kWarp) top = fmaxf(top, x[c]);
  top = warp_max(top);
  if (counts)
    for (std::int64_t c = lane_of_warp(); c < V; c += kWarp) sum += expf(x[c] - top);
  sum = warp_sum(sum);
  if (lane_of_warp() == (counts ? t % kWarp : 0)) {
    const float wanted = counts && t < V ? x[t] : NAN;
    const double loss =
        counts ? log(static_cast<double>(sum)) + static_cast<double>(top) - static_cast<double>(wanted) : 0;
    nats[n] = loss;
    if (row_loss) row_loss[n] = static_cast<float>(loss);
  }
  if (!dlogits) return;
  __syncwarp();  // dlogits may be logits, and shuffles order no memory
  const auto scale = static_cast<float>(*weight / static_cast<double>(sum));
  for (std::int64_t c = lane_of_warp(); c < V; c += kWarp) {
    const float hit = c == t ? static_cast<float>(*weight) : 0.f;
    dlogits[n * V + c] = counts ? expf(x[c] - top) * scale - hit : 0.f;
  }
}

// One block.
__global__ void __launch_bounds__(kSumThreads)
    mean_loss_kernel(float* loss, const double* nats, const double* weight, std::int64_t N) {
  const double sum = block_sum_of(0, N, [=](std::int64_t n) { return nats[n]; });
  if (threadIdx.x == 0) *loss = static_cast<float>(sum * *weight);
}

void cross_entropy_naive(Context& ctx, float* loss, float* row_loss, float* dlogits, const float* logits,
                         const std::int32_t* target, std::int64_t N, std::int64_t V) {
  account(ctx, sizeof(float) * ((dlogits ? 2.0 : 1.0) * N * V + (row_loss ? N : 0)) + 4.0 * N, 5.0 * N * V);
  Scratch<double> weight(ctx, 1), nats(ctx, N);
  launch(ctx, target_weight_kernel, 1, kSumThreads, 0, weight.data(), target, N);
  if (N > 0)
    launch(ctx, cross_entropy_kernel, blocks(N, kRowsPerBlock), kRowThreads, 0, nats.data(), row_loss,
           dlogits, logits, target, weight.data(), N, V);
  launch(ctx, mean_loss_kernel, 1, kSumThreads, 0, loss, nats.data(), weight.data(), N);
}

}  // namespace moe::MOE_BACKEND
