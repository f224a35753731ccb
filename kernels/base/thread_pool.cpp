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

ThreadPool::ThreadPool(int threads) {
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

// Whoever takes a chunk keeps run() from returning, so function_, body_ and chunks_ stay as they are until it is done.
bool ThreadPool::take(std::int32_t& chunk) {
  std::int32_t left = left_.load(std::memory_order_acquire);
  while (left > 0)
    if (left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) {
      chunk = chunks_ - left;
      return true;
    }
  return false;
}

void ThreadPool::work() {
  inside_here = true;
  for (std::int32_t chunk; take(chunk);) {
    const std::int32_t all = chunks_;
    function_(body_, chunk);
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
  left_.store(chunks_);
  left_.notify_all();
  work();
  for (std::int32_t done; (done = done_.load(std::memory_order_acquire)) < chunks_;) wait_while(done_, done);
}

}  // namespace moe
