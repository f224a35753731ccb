// The CUDA runtime as the rest of the library sees it: no CUDA header needed, in a build without CUDA either. There
// gpus() finds none, says why, and whatever needs one throws UserError. Nothing here is called, and no driver is loaded,
// before a context for a GPU is made or gpus() is asked.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/memory.hpp"

namespace moe {

struct Gpu {
  int index = 0;
  std::string name;       // "NVIDIA H100 80GB HBM3"
  int sm = 0;             // compute capability × 10
  std::size_t bytes = 0;  // of memory
  bool runs = false;      // this build has code for it
  int code = 0;           // the compute capability that this code was compiled for: a kernel has no more
};

struct GpuReport {
  bool built = false;         // this build has the CUDA kernels
  std::string toolkit;        // "13.0"; "" without CUDA
  std::string driver;         // newest CUDA that the driver supports: "13.0"; "" without a driver
  std::string architectures;  // "75,80": what the kernels were compiled for, as CMake writes it
  std::vector<Gpu> gpus;
  std::string problem, remedy;  // why no GPU can be used; "" when one can

  const Gpu* usable() const {  // the first that runs this build's kernels; null: none
    for (const Gpu& gpu : gpus)
      if (gpu.runs) return &gpu;
    return nullptr;
  }
};

// Asks the driver anew. Never throws for a missing GPU.
GpuReport gpus();

namespace cuda {

// The GPU with this index, or UserError (exit code 3): not built, no driver, no such GPU, no code for it.
Gpu gpu(int index);

std::shared_ptr<Allocator> make_allocator(Device device, std::shared_ptr<Stream> stream);

void* make_stream(int index);
void destroy_stream(void* stream) noexcept;
void synchronize(void* stream);

void* make_event(int index);
void destroy_event(void* event) noexcept;
void record(void* event, void* stream);
void wait_for(void* event);
double seconds_between(void* first, void* last);

// A named range on the time line of Nsight Systems; nothing without CUDA.
void push_range(const char* name);
void pop_range();

}  // namespace cuda
}  // namespace moe
