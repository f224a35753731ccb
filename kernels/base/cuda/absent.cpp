// A build without CUDA: no GPU, and why.
#ifndef MOE_HAVE_CUDA
#include "kernels/base/check.hpp"
#include "kernels/base/cuda/runtime.hpp"

namespace moe {
namespace {

constexpr const char* kProblem = "this build has no CUDA kernels";
constexpr const char* kRemedy = "With nvcc of CUDA 12.6 or newer: cmake --workflow --preset cuda";

[[noreturn]] void absent() {
  throw UserError(ExitCode::missing, kProblem, kRemedy);
}

}  // namespace

GpuReport gpus() {
  return {.problem = kProblem, .remedy = kRemedy};
}

namespace cuda {

Gpu gpu(int) {
  absent();
}
std::shared_ptr<Allocator> make_allocator(Device, std::shared_ptr<Stream>) {
  absent();
}
void* make_stream(int) {
  absent();
}
void* make_event(int) {
  absent();
}
void destroy_stream(void*) noexcept {}
void destroy_event(void*) noexcept {}
void synchronize(void*) {}
void record(void*, void*) {}
void wait_for(void*) {}
double seconds_between(void*, void*) {
  return 0;
}
void push_range(const char*) {}
void pop_range() {}

}  // namespace cuda
}  // namespace moe
#endif
