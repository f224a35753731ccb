// Tracing. One RAII scope feeds the profile table, the Chrome trace and, on a GPU, the time line of Nsight Systems (NVTX).
//
//   Scope scope(ctx, "moe.dispatch");
//   account(ctx, bytes, flops);        // inside a kernel: what it had to move and to compute
//
// Without a profiler in the context both cost a test or two. Scopes nest and belong to the thread that owns the context;
// bodies of parallel_for open none. Seconds are the host's: on a GPU, what it took to start the work, not to do it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/context.hpp"
#include "kernels/base/cuda/runtime.hpp"

namespace moe {

class Profiler {
 public:
  struct Row {  // totals of one name
    std::string name;
    std::int64_t calls = 0;
    double seconds = 0;  // without nested scopes
    double bytes = 0, flops = 0;
  };
  struct Event {  // one scope, for the Chrome trace
    const char* name;
    double start, duration;  // seconds since the profiler was made
  };

  explicit Profiler(bool keep_events = false) : keep_events_(keep_events) {}
  void reset();                   // forget totals and events
  std::vector<Row> rows() const;  // by falling self time
  const std::vector<Event>& events() const { return events_; }

 private:
  friend class Scope;
  friend void account(Context& ctx, double bytes, double flops);
  using Clock = std::chrono::steady_clock;
  struct Open {
    const char* name;
    double start, nested;
  };
  double now() const { return std::chrono::duration<double>(Clock::now() - origin_).count(); }
  Row& row(const char* name);
  void enter(const char* name);
  void leave();

  bool keep_events_;
  Clock::time_point origin_ = Clock::now();
  std::vector<Open> open_;
  std::vector<Row> rows_;
  std::vector<Event> events_;
};

class Scope {
 public:
  Scope(Context& ctx, const char* name)
      : profiler_(ctx.profiler), on_gpu_(ctx.device.kind == DeviceKind::cuda) {
    if (on_gpu_) cuda::push_range(name);
    if (profiler_) profiler_->enter(name);
  }
  ~Scope() {
    if (profiler_) profiler_->leave();
    if (on_gpu_) cuda::pop_range();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Profiler* profiler_;
  bool on_gpu_;
};

// Adds to the innermost open scope: the least bytes its operands make it read and write, and its FLOPs.
void account(Context& ctx, double bytes, double flops = 0);

}  // namespace moe
