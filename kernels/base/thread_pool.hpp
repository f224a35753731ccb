// The threads behind parallel_for. Chunks are handed out one at a time, and the caller works too: it never waits for a
// thread that has not started a chunk. OpenMP's barrier does wait for it, and on a machine with as many busy programs as
// cores each of some 200 parallel regions of a training step then costs a time slice: 300 ms a step instead of 38.
//
// A thread begins with a stretch of its own, the same share of the chunks in every run, and then helps others. So in one operation
// after another it meets the rows that it wrote itself, which stand in its own cache: where two cores share none, a step of the
// demo's MoE takes 16 ms instead of 19.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace moe {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // threads - 1 of them are made; the caller of run() is the other
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  using ChunkFunction = void (*)(void* body, std::int64_t chunk) noexcept;
  // function(body, 0 .. chunks-1), each once, in no order. One caller at a time. chunks < 2^31.
  void run(std::int64_t chunks, ChunkFunction function, void* body);

  // Of the thread that asks: 0 for callers and strangers, 1 .. threads-1 for the pool's own.
  static int current_worker();
  static bool inside_run();  // this thread is working on a chunk

 private:
  void stop();
  void serve(int worker);
  bool take_right();
  std::int32_t next_chunk();
  void work();

  struct alignas(64) Stretch {
    std::atomic<std::int32_t> next{0};
    std::int32_t end = 0;
  };

  ChunkFunction function_ = nullptr;
  void* body_ = nullptr;
  std::int32_t chunks_ = 0;
  std::vector<Stretch> stretches_;                 // one a thread
  alignas(64) std::atomic<std::int32_t> left_{0};  // chunks not yet taken; negative: the end
  alignas(64) std::atomic<std::int32_t> done_{0};
  std::vector<std::thread> threads_;
};

}  // namespace moe
