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
};
const char* name_of(Op op);

class Block;
struct Warp;

struct Thread {
  enum class State : std::uint8_t { ready, at_barrier, in_warp, done };

  dim3 index;
  unsigned number, lane;  // of the block, of the warp
  Block* block;
  Warp* warp;
  void* stack_pointer;
  State state;
  Op op;  // from here on: of the last wait
  Where where;
  std::uint64_t value;    // what it brings, and what it takes away
  unsigned mask, source;  // of a warp operation: participants; the lane to read from
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
};

class Block {
 public:
  // Runs block `index` of the launch to its end. Stacks and memory are kept for the next. Throws Error.
  void run(const Launch& launch, dim3 index);

  // The current thread waits until all threads of the block that have not ended are here. `predicate` feeds the counted
  // forms; returns their result.
  int barrier(Op op, int predicate, Where where);

  const Launch& launch() const { return *launch_; }
  dim3 index() const { return index_; }
  std::byte* shared() { return shared_; }
  void wait(Thread& thread, Thread::State state);  // switches to the scheduler

 private:
  static void thread_main();
  void start();
  void run_to_end();
  void set_up_threads();
  void draw_order();
  bool pass();
  void resume(Thread& thread);
  void release_barrier();
  void require_one_barrier() const;
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
  std::exception_ptr error_;
  std::uint64_t random_ = 0;
  unsigned live_ = 0, at_barrier_ = 0;
};

// The current thread and the lanes of `mask` exchange values; see Warp. Lanes that have ended are not waited for.
std::uint64_t exchange(unsigned mask, Op op, std::uint64_t value, unsigned source, Warp::Resolve resolve,
                       Where where);

// A lane ended: operations that waited for it alone can go on.
void release_waiting_lanes(Warp& warp);

std::string describe(dim3 index);  // "(1, 0, 0)"
[[noreturn]] void fail(Where where, const std::string& what);

}  // namespace moe::simt
