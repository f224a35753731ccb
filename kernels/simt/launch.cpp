#include "kernels/simt/launch.hpp"

#include <atomic>
#include <mutex>
#include <numeric>
#include <random>

#include "kernels/base/check.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/simt/checked/checker.hpp"

namespace moe::simt {
namespace {

void check_shape(const Launch& l) {
  if (here) fail(l.where, "a kernel cannot launch another here");
  if (l.block.count() == 0 || l.block.count() > kMaxThreads || l.block.z > 64)
    fail(l.where, concat("block ", describe(l.block), " has ", l.block.count(), " threads, allowed are 1 to ",
                         kMaxThreads, ", 64 along z"));
  if (l.grid.count() == 0 || l.grid.x > 0x7fffffffu || l.grid.y > 0xffff || l.grid.z > 0xffff)
    fail(l.where, concat("grid ", describe(l.grid), ": allowed are 1 to 2147483647, 65535, 65535 blocks"));
  if (l.shared_bytes > kMaxSharedBytes)
    fail(l.where, concat(l.shared_bytes, " bytes of shared memory, a block has ", kMaxSharedBytes));
}

// The error of the lowest block; the others stop as soon as there is one.
class FirstError {
 public:
  bool any() const { return any_.load(std::memory_order_relaxed); }
  void keep(std::uint64_t block, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_ || block < block_) {
      error_ = std::move(error);
      block_ = block;
    }
    any_ = true;
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> any_{false};
  std::uint64_t block_ = 0;
  std::exception_ptr error_;
};

// Blocks in order, or shuffled where threads are.
std::vector<std::uint32_t> block_order(const Launch& l) {
  std::vector<std::uint32_t> order;
  if (l.order_seed == 0 || l.grid.count() > (1u << 24)) return order;
  order.resize(l.grid.count());
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(l.order_seed));
  return order;
}

// Stacks are touched once for all launches of a thread.
Block& block_of_this_thread() {
  static thread_local Block block;
  return block;
}

// One after the other: the checker knows one running block, and accesses of earlier ones.
void run_watched(const Launch& l, const std::vector<std::uint32_t>& order, Traffic* traffic) {
  static std::mutex one_at_a_time;
  static Checker checker;
  const std::lock_guard lock(one_at_a_time);
  checker.begin_launch(l, order, traffic);
  const std::shared_ptr<void> at_end(nullptr, [](void*) { checker.end_launch(); });
  for (std::uint64_t n = 0; n < l.grid.count(); ++n) {
    block_of_this_thread().run(l, nth_block(l, order, n), &checker);
    checker.end_block();
  }
  checker.end_grid();
}

}  // namespace

dim3 nth_block(const Launch& l, const std::vector<std::uint32_t>& order, std::uint64_t n) {
  const std::uint64_t i = order.empty() ? n : order[n];
  return dim3(i % l.grid.x, i / l.grid.x % l.grid.y, i / l.grid.x / l.grid.y);
}

void run_grid(Context& ctx, const Launch& l) {
  check_shape(l);
  const DeviceAccess access(*ctx.allocator);
  const std::vector<std::uint32_t> order = block_order(l);
  if (l.watched) return run_watched(l, order, ctx.traffic);
  FirstError error;
  parallel_for(ctx, static_cast<std::int64_t>(l.grid.count()), 1, [&](std::int64_t n, std::int64_t) {
    if (error.any()) return;
    try {
      block_of_this_thread().run(l, nth_block(l, order, static_cast<std::uint64_t>(n)));
    } catch (...) {
      error.keep(order.empty() ? static_cast<std::uint64_t>(n) : order[n], std::current_exception());
    }
  });
  error.rethrow();
}

}  // namespace moe::simt
