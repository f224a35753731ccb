// Context: everything a kernel needs besides its operands. One per model or rank, passed explicitly as the
// first argument; there are no globals, so two models can train in two threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/device.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/base/memory.hpp"
#include "kernels/base/stream.hpp"

namespace moe {

class Profiler;    // kernels/base/trace.hpp
class GemmLog;     // kernels/gemm/gemm_log.hpp
class ThreadPool;  // kernels/base/thread_pool.hpp
namespace simt {
class Traffic;  // kernels/simt/traffic.hpp
}

// "This operation by that version": a row's name in the operation's table.
struct ChosenVersion {
  std::string operation, version;
};

struct Context {
  explicit Context(int thread_count = 1) : threads(thread_count < 1 ? 1 : thread_count) {}  // the CPU
  // With the device's memory and a stream of its own. A GPU's sm becomes that of the code it runs, if that is less. Throws
  // UserError (exit code 3) where this build or machine has no such device.
  explicit Context(Device device, int thread_count = 1);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Device device;
  std::shared_ptr<Stream> stream = std::make_shared<Stream>(Device{});
  const int threads;                  // results never depend on it
  std::shared_ptr<ThreadPool> pool;   // made when first needed
  DType matrix_inputs = DType::f32;   // bf16: gemm and grouped_ffn round their operands to it; sums stay f32
  std::vector<ChosenVersion> chosen;  // of operations that shall not take their best version
  std::uint64_t emulated_order =
      0;  // emulated device: not 0: threads and blocks in random orders, by this seed
  std::shared_ptr<Allocator> allocator = make_caching_allocator();
  std::shared_ptr<void>
      blas;  // a GPU's matrix library for this stream (kernels/gemm), made when first needed
  Profiler* profiler = nullptr;      // not owned; null: no tracing
  GemmLog* gemm_log = nullptr;       // not owned; null: GEMM calls are not recorded
  simt::Traffic* traffic = nullptr;  // not owned; null: the checked device counts no traffic
};

// This build has kernels for it; a GPU may still be missing (kernels/base/cuda/runtime.hpp).
bool built_for(DeviceKind kind);

// UserError (exit code 3) where it has not.
void require_built_for(DeviceKind kind);

template <class T>
Scratch<T>::Scratch(Context& ctx, std::int64_t n)
    : allocator_(*ctx.allocator),
      bytes_(static_cast<std::size_t>(n) * sizeof(T)),
      data_(static_cast<T*>(allocator_.allocate(bytes_))) {}

}  // namespace moe
