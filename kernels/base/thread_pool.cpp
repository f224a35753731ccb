#include "kernels/base/thread_pool.hpp"

#include <signal.h>

#include <limits>
#include <system_error>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

// What the calling thread is right now; set around work, never carried from one call to the next.
thread_local int worker_here = 0;
thread_local bool inside_here = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Ctrl-C is for the thread that waits for it: a handler must not run in the middle of a library's machine code
// (common/app/interrupt.hpp).
void block_interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// Waits while `a` holds `value`: up to about 0.1 ms awake, which covers the gaps between operations, then asleep.
void wait_while(const std::atomic<std::int32_t>& a, std::int32_t value) {
  for (int i = 0; i < 4000; ++i) {
    if (a.load(std::memory_order_acquire) != value) return;
    pause();
  }
  a.wait(value, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) : stretches_(static_cast<std::size_t>(threads)) {
  try {
    for (int w = 1; w < threads; ++w) threads_.emplace_back([this, w] { serve(w); });
  } catch (const std::system_error& error) {
    stop();
    throw UserError(ExitCode::usage, concat("cannot start ", threads, " threads: ", error.what()),
                    "use fewer --threads");
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

// Stores of left_ are sequentially consistent: libstdc++ skips the wake-up when it counts no waiter, and that count must not
// be read before the store is seen.
void ThreadPool::stop() {
  left_.store(-1);
  left_.notify_all();
  for (std::thread& t : threads_) t.join();
}

int ThreadPool::current_worker() {
  return worker_here;
}
bool ThreadPool::inside_run() {
  return inside_here;
}

// The right to one chunk. Whoever has it keeps run() from returning, so all else stays as it is until the chunk is done.
bool ThreadPool::take_right() {
  std::int32_t left = left_.load(std::memory_order_acquire);
  while (left > 0)
    if (left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) return true;
  return false;
}

// The next of this thread's own stretch, else of another's. There are as many rights as chunks, so one is left.
std::int32_t ThreadPool::next_chunk() {
  for (std::size_t i = static_cast<std::size_t>(worker_here);; ++i) {
    Stretch& s = stretches_[i % stretches_.size()];
    if (s.next.load(std::memory_order_relaxed) >= s.end) continue;
    if (const std::int32_t chunk = s.next.fetch_add(1, std::memory_order_relaxed); chunk < s.end)
      return chunk;
  }
}

void ThreadPool::work() {
  inside_here = true;
  while (take_right()) {
    const std::int32_t all = chunks_;
    function_(body_, next_chunk());
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == all) done_.notify_one();
  }
  inside_here = false;
}

void ThreadPool::serve(int worker) {
  block_interrupts();
  worker_here = worker;
  while (left_.load(std::memory_order_acquire) >= 0) {
    work();
    wait_while(left_, 0);
  }
}

void ThreadPool::run(std::int64_t chunks, ChunkFunction function, void* body) {
  MOE_CHECK(chunks <= std::numeric_limits<std::int32_t>::max(), chunks, " chunks");
  function_ = function;
  body_ = body;
  chunks_ = static_cast<std::int32_t>(chunks);
  done_.store(0, std::memory_order_relaxed);
  const auto T = static_cast<std::int64_t>(stretches_.size());
  for (std::int64_t t = 0; t < T; ++t) {
    stretches_[t].next.store(static_cast<std::int32_t>(t * chunks / T), std::memory_order_relaxed);
    stretches_[t].end = static_cast<std::int32_t>((t + 1) * chunks / T);
  }
  left_.store(chunks_);
  left_.notify_all();
  work();
  for (std::int32_t done; (done = done_.load(std::memory_order_acquire)) < chunks_;) wait_while(done_, done);
}

}  // namespace moe
