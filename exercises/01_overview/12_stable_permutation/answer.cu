// Exercise stable_permutation: `moe try stable_permutation` tells how far it is. The task: README.md.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kThreads = 128;
constexpr int kMostExperts = 256;

__global__ void count_kernel(std::int32_t* count, const std::int32_t* expert, std::int64_t A) {
  // Your code: this thread's assignment, and one more for its expert.
  (void)count, (void)expert, (void)A;
}

__global__ void scan_kernel(std::int32_t* offset, const std::int32_t* count, std::int64_t E) {
  // Your code: sums in shared memory, and in the end those of the counts before this thread's expert.
  (void)offset, (void)count, (void)E;
}

__global__ void scatter_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* expert,
                               const std::int32_t* offset, std::int64_t A) {
  // Your code: this warp's expert, and its assignments in the order of the list.
  (void)source, (void)row, (void)expert, (void)offset, (void)A;
}

void count_experts(Context& ctx, std::int32_t* count, const std::int32_t* expert, std::int64_t A,
                   std::int64_t E) {
  // Your code: who sets the counts to 0?
  (void)E;
  if (A == 0) return;  // a grid of no blocks is an error
  // In CUDA: kernel<<<grid, block, shared>>>(...). Here the same line runs on the emulated device, too.
  launch(ctx, count_kernel, blocks(A, kThreads), kThreads, 0, count, expert, A);
}

void scan_counts(Context& ctx, std::int32_t* offset, const std::int32_t* count, std::int64_t E) {
  launch(ctx, scan_kernel, 1, kMostExperts, 0, offset, count, E);
}

void scatter(Context& ctx, std::int32_t* source, std::int32_t* row, const std::int32_t* expert,
             const std::int32_t* offset, std::int64_t A, std::int64_t E) {
  launch(ctx, scatter_kernel, static_cast<unsigned>(E), 32, 0, source, row, expert, offset, A);
}

}  // namespace moe::MOE_BACKEND
