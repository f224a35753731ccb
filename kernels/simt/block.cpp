#include "kernels/simt/block.hpp"

#include <algorithm>
#include <utility>

#include "kernels/base/check.hpp"
#include "kernels/simt/checked/checker.hpp"
#include "kernels/simt/switch.hpp"

namespace moe::simt {

constinit thread_local Thread* here = nullptr;

namespace {

// splitmix64 (Steele, Lea & Flood 2014): any seed will do, and the orders need to be various, not perfect.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace

void Block::run(const Launch& launch, dim3 index, Checker* checker) {
  launch_ = &launch;
  index_ = index;
  checker_ = checker;
  start();
  if (checker_) checker_->begin_block(*this);
  try {
    run_to_end();
  } catch (...) {
    stacks_->forget_frames();
    throw;
  }
}

void Block::run_to_end() {
  bool barrier_opens = false;
  while (live_ > 0) {
    const bool progress = pass(barrier_opens);
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if (stopped_) checker_->fail();
    barrier_opens = live_ > 0 && barrier_.arrived == live_;
    if (barrier_opens)
      open_barrier();
    else if (!progress)
      fail_deadlock();
  }
}

// Shared memory holds what no kernel may rely on: NaN, or -1.
void Block::start() {
  constexpr std::size_t kAlign = 128;
  shared_memory_.resize(launch_->shared_bytes + kAlign);
  void* begin = shared_memory_.data();
  std::size_t space = shared_memory_.size();
  shared_ = static_cast<std::byte*>(std::align(kAlign, launch_->shared_bytes, begin, space));
  std::fill_n(shared_, launch_->shared_bytes, std::byte{0xff});
  set_up_threads();
  forget_async_copies();
  error_ = nullptr;
  stopped_ = false;
  barrier_ = {};
  live_ = static_cast<unsigned>(threads_.size());
  random_ =
      launch_->order_seed + index_.x + (std::uint64_t{index_.y} << 24) + (std::uint64_t{index_.z} << 44);
}

void Block::set_up_threads() {
  const dim3 shape = launch_->block;
  const unsigned n = static_cast<unsigned>(shape.count());
  if (!stacks_ || stacks_->count() < n) stacks_ = std::make_unique<Stacks>(n);
  threads_.resize(n);
  order_.resize(n);
  warps_.resize((n + kWarpSize - 1) / kWarpSize);
  for (Warp& w : warps_) w = {.lanes = &threads_[(&w - warps_.data()) * kWarpSize]};
  for (unsigned i = 0; i < n; ++i) {
    Warp& warp = warps_[i / kWarpSize];
    warp.live |= 1u << i % kWarpSize;
    order_[i] = static_cast<std::uint16_t>(i);
    threads_[i] = {.stack_pointer = first_frame(stacks_->top(i), thread_main),
                   .state = Thread::State::ready,
                   .lane = static_cast<std::uint8_t>(i % kWarpSize),
                   .index = {i % shape.x, i / shape.x % shape.y, i / shape.x / shape.y},
                   .block = this,
                   .warp = &warp};
  }
}

// Nothing may leave it: below it on this stack there is only thread_main. Not inlined into that, since a frame that is never
// left must hold no variables: AddressSanitizer would keep their surroundings poisoned for the next thread on this stack.
[[gnu::noinline]] void Block::run_kernel() {
  try {
    launch_->body.call(launch_->body.kernel_and_arguments);
  } catch (...) {
    error_ = std::current_exception();
    stopped_ = true;
  }
}

// A thread's whole life.
void Block::thread_main() {
  here->block->run_kernel();
  here->block->wait(*here, Thread::State::done);
  __builtin_unreachable();
}

void Block::resume(Thread& thread) {
  here = &thread;
  moe_simt_switch(&scheduler_, thread.stack_pointer);
  here = nullptr;
  if (stopped_ || thread.state != Thread::State::done) return;
  --live_;
  thread.warp->live &= ~(1u << thread.lane);
  if (thread.warp->waiting) release_waiting_lanes(*thread.warp);
}

void Block::stop(Where where, const std::string& what) {
  if (stopped_) return;
  error_ = std::make_exception_ptr(Error(message(where, what)));
  stopped_ = true;
}

void Block::stop_for_checker() {
  stopped_ = true;
  wait(*here, Thread::State::ready);
}

bool Block::owns(std::uintptr_t address) const {
  const auto within = [=](const void* begin, std::size_t bytes) {
    return address - reinterpret_cast<std::uintptr_t>(begin) < bytes;
  };
  return within(this, sizeof *this) || within(threads_.data(), threads_.size() * sizeof(Thread)) ||
         within(warps_.data(), warps_.size() * sizeof(Warp)) || within(&here, sizeof here);
}

void Block::draw_order() {
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[next_random(random_) % i]);
}

// Every thread that can run runs until it waits; those at the barrier can when it opens. No thread is met twice, so one
// that comes to the next barrier in this pass stays there. False: none could.
bool Block::pass(bool barrier_opens) {
  if (launch_->order_seed) draw_order();
  bool progress = false;
  for (const std::uint16_t i : order_) {
    Thread& thread = threads_[i];
    if (thread.state != Thread::State::ready && !(barrier_opens && thread.state == Thread::State::at_barrier))
      continue;
    progress = true;
    resume(thread);
    if (stopped_) break;
  }
  return progress;
}

}  // namespace moe::simt
