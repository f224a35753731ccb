// Context: everything a kernel needs besides its operands. One per model or rank, passed explicitly as the
// first argument; there are no globals, so two models can train in two threads at once.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/base/dtype.hpp"
#include "kernels/base/memory.hpp"

namespace moe {

// emulated: the .cu files on the CPU (kernels/simt); checked: the same with every access watched.
enum class DeviceKind : std::uint8_t { cpu, emulated, checked, cuda };
const char* name_of(DeviceKind kind);

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;  // which GPU
  int sm = 1000;  // compute capability × 10; rows that need more are passed over
};

class Profiler;    // kernels/base/trace.hpp
class GemmLog;     // kernels/gemm/gemm_log.hpp
class ThreadPool;  // kernels/base/thread_pool.hpp

struct Context {
  explicit Context(int thread_count = 1) : threads(thread_count < 1 ? 1 : thread_count) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Device device;
  void* stream = nullptr;            // CUDA stream; unused on the CPU
  const int threads;                 // results never depend on it
  std::shared_ptr<ThreadPool> pool;  // made when first needed
  bool deterministic = true;         // same inputs, same bytes
  DType matrix_inputs = DType::f32;  // bf16: gemm and grouped_ffn round their operands to it; sums stay f32
  std::uint64_t emulated_order =
      0;  // emulated device: not 0: threads and blocks in random orders, by this seed
  std::shared_ptr<Allocator> allocator = make_caching_allocator();
  Profiler* profiler = nullptr;  // not owned; null: no tracing
  GemmLog* gemm_log = nullptr;   // not owned; null: GEMM calls are not recorded
};

template <class T>
Scratch<T>::Scratch(Context& ctx, std::int64_t n)
    : allocator_(*ctx.allocator),
      bytes_(static_cast<std::size_t>(n) * sizeof(T)),
      data_(static_cast<T*>(allocator_.allocate(bytes_))) {}

}  // namespace moe
