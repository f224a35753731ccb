// One block of the emulated device: a fiber for each of its threads, run one at a time by one thread of the operating
// system. A thread runs until it waits for others (barrier, warp operation) or ends. What CUDA leaves undefined and
// hardware answers by hanging or by wrong numbers is thrown here, as Error with file and line.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "kernels/simt/stacks.hpp"
#include "kernels/simt/switch.hpp"

namespace moe::simt {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kMaxThreads = 1024;              // of a block
inline constexpr std::size_t kMaxSharedBytes = 227 << 10;  // dynamic, of a block: as on sm_90

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

using Where = std::source_location;

// What a thread waits in.
enum class Op : std::uint8_t {
  syncthreads,
  syncthreads_count,
  syncthreads_and,
  syncthreads_or,
  syncwarp,
  shfl,
  shfl_up,
  shfl_down,
  shfl_xor,
  ballot,
  any,
  all,
  reduce_add,
  reduce_min,
  reduce_max,
  mma,
  ldmatrix,
};
const char* name_of(Op op);

inline bool same_place(Op a, Where at_a, Op b, Where at_b) {
  return a == b && at_a.line() == at_b.line() && at_a.file_name() == at_b.file_name();
}

class Block;
class Checker;
struct Warp;

// One line of the cache: a pass over a block's threads reads all of them.
struct alignas(64) Thread {
  enum class State : std::uint8_t { ready, at_barrier, in_warp, done };

  void* stack_pointer;
  State state;
  Op op;  // of the last wait, as are where, value, mask and source
  std::uint8_t lane;
  dim3 index;
  Where where;
  std::uint64_t value;    // of a warp operation: what it brings, then what it takes away
  unsigned mask, source;  // its participants; the lane to read from
  Block* block;
  Warp* warp;
};

// The last lane to arrive works out every lane's value; so one switch a lane is enough.
struct Warp {
  Thread* lanes;     // 32 or, in the last warp, fewer
  unsigned live;     // lanes that have not ended
  unsigned waiting;  // lanes in a warp operation

  // Replaces the values of the lanes in `mask`, all of which have arrived.
  using Resolve = void (*)(Warp& warp, unsigned mask);
  Resolve resolve[kWarpSize];
};

// The thread that runs now; null outside kernels.
extern constinit thread_local Thread* here;

// A kernel with its arguments.
struct Body {
  void (*call)(const void* kernel_and_arguments);
  const void* kernel_and_arguments;
};

// One launch, as its blocks see it.
struct Launch {
  dim3 grid, block;
  std::size_t shared_bytes;
  std::uint64_t order_seed;  // 0: threads run in order; else in an order drawn anew after every wait
  Body body;
  Where where;
  bool watched = false;                         // every access is checked (kernels/simt/checked)
  std::span<const void* const> arguments = {};  // of the kernel: pointers, and null for what is not one
  const void* kernel = nullptr;                 // the function
};

// The block that runs n-th: `order` says which, an empty one that they run as they are numbered.
dim3 nth_block(const Launch& launch, const std::vector<std::uint32_t>& order, std::uint64_t n);

class Block {
 public:
  // Runs block `index` of the launch to its end. Stacks and memory are kept for the next. Throws Error.
  // With a checker every access of instrumented code is reported to it.
  void run(const Launch& launch, dim3 index, Checker* checker = nullptr);

  // The current thread waits until all threads of the block that have not ended are here. `predicate` feeds the counted
  // forms; returns their result.
  int barrier(Op op, int predicate, Where where);

  const Launch& launch() const { return *launch_; }
  dim3 index() const { return index_; }
  std::byte* shared() { return shared_; }
  Checker* checker() const { return checker_; }
  bool stopped() const { return stopped_; }
  unsigned number_of(const Thread& thread) const { return static_cast<unsigned>(&thread - threads_.data()); }
  dim3 thread_index(unsigned number) const { return threads_[number].index; }
  // Whether `address` lies in what runs the threads, the block itself or its stacks.
  bool owns(std::uintptr_t address) const;
  bool is_stack(std::uintptr_t address) const { return stacks_->contains(address); }
  void wait(Thread& thread, Thread::State state);  // switches to the scheduler

  // The launch will throw this when the current thread next waits, and it must wait at once. Nothing is thrown on a
  // thread's own stack: sanitizers take a throw on a stack that they do not know for an error.
  void stop(Where where, const std::string& what);
  // The same for the checker, which words it afterwards: a thread's stack is too small for that. Does not return.
  void stop_for_checker();

 private:
  static void thread_main();
  void run_kernel();
  void start();
  void run_to_end();
  void set_up_threads();
  void draw_order();
  bool pass(bool barrier_opens);
  void resume(Thread& thread);
  void open_barrier();
  [[noreturn]] void fail_divergent() const;
  [[noreturn]] void fail_deadlock() const;

  const Launch* launch_ = nullptr;
  dim3 index_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::uint16_t> order_;
  std::vector<std::byte> shared_memory_;
  std::byte* shared_ = nullptr;
  std::unique_ptr<Stacks> stacks_;
  void* scheduler_ = nullptr;  // its stack pointer
  Checker* checker_ = nullptr;
  bool stopped_ = false;  // something went wrong: error_, or else the checker knows
  std::exception_ptr error_;
  std::uint64_t random_ = 0;
  unsigned live_ = 0;  // threads that have not ended

  // The barrier that threads are arriving at, and what the last one returned.
  struct Barrier {
    unsigned arrived = 0, yes = 0;
    Op op = Op::syncthreads;  // of the first to arrive
    Where where;
    bool mixed = false;  // others came to another one
  } barrier_;
  int barrier_result_ = 0;
};

// Copies that a block left under way are not delivered to the next one; kernels/simt/mma.cpp.
void forget_async_copies();

// A lane ended: operations that waited for it alone can go on.
void release_waiting_lanes(Warp& warp);

// A lane comes to a warp operation. True: it was the last, all lanes have their values; false: it must wait, if only for
// the launch to end after Block::stop.
bool arrive(Warp& warp, Thread& self);

// The thread reads, in a shuffle, from a lane that takes no part.
void stop_for_absent_lane(const Thread& thread);

std::string describe(dim3 index);                           // "(1, 0, 0)"
std::string message(Where where, const std::string& what);  // "file:line: what"
[[noreturn]] void fail(Where where, const std::string& what);

MOE_SIMT_INLINE void Block::wait(Thread& thread, Thread::State state) {
  thread.state = state;
  moe_simt_switch(&thread.stack_pointer, scheduler_);
}

// The result stands until the barrier opens again, and that needs every thread to have read it and come back.
MOE_SIMT_INLINE int Block::barrier(Op op, int predicate, Where where) {
  Thread& self = *here;
  self.op = op;
  self.where = where;
  if (barrier_.arrived++ == 0) {
    barrier_.op = op;
    barrier_.where = where;
  }
  barrier_.yes += predicate != 0;
  barrier_.mixed |= !same_place(op, where, barrier_.op, barrier_.where);
  wait(self, Thread::State::at_barrier);
  return barrier_result_;
}

// The current thread and the lanes of `mask` exchange values; see Warp. Lanes that have ended are not waited for.
MOE_SIMT_INLINE std::uint64_t meet(unsigned mask, Op op, std::uint64_t value, unsigned source,
                                   Warp::Resolve resolve, Where where) {
  Thread& self = *here;
  self.op = op;
  self.where = where;
  self.value = value;
  self.source = source;
  self.mask = mask;
  self.warp->resolve[self.lane] = resolve;
  if (!arrive(*self.warp, self)) self.block->wait(self, Thread::State::in_warp);
  return self.value;
}

}  // namespace moe::simt
