#ifdef MOE_HAVE_CUDA
#include "kernels/base/cuda/runtime.hpp"

#include <nvtx3/nvToolsExt.h>

#include "kernels/base/check.hpp"
#include "kernels/base/cuda/advice.hpp"
#include "kernels/base/cuda/check.hpp"

namespace moe {
namespace cuda {
namespace {

// Its argument is left untouched when cudaDriverGetVersion fails; without a driver it is 0.
std::string driver_version() {
  int version = 0;
  cudaDriverGetVersion(&version);
  return version_text(version);
}

Setting setting() {
  return {.toolkit = version_text(CUDART_VERSION),
          .driver = driver_version(),
          .architectures = MOE_CUDA_ARCHITECTURES};
}

// The same, with the GPU that this thread works on.
Setting setting_with_gpu() {
  Setting s = setting();
  int index = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&index) == cudaSuccess && cudaGetDeviceProperties(&properties, index) == cudaSuccess) {
    s.gpu = properties.name;
    s.sm = 10 * properties.major + properties.minor;
  }
  return s;
}

Gpu properties_of(int index) {
  cudaDeviceProp properties{};
  CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
  const int sm = 10 * properties.major + properties.minor;
  const int code = code_for(MOE_CUDA_ARCHITECTURES, sm);
  return {index, properties.name, sm, properties.totalGlobalMem, code > 0, code};
}

Advice no_code_for(const Gpu& gpu) {
  Setting s = setting();
  s.gpu = gpu.name;
  s.sm = gpu.sm;
  return *advice_for(kNoKernelImage, s);
}

void explain(GpuReport& report, const Advice& advice) {
  report.problem = advice.what;
  report.remedy = advice.remedy;
}

void use(int index) {
  CUDA_CHECK(cudaSetDevice(index));
}

}  // namespace

void fail(cudaError_t code, const char* expression, const char* file, int line) {
  const Setting here = setting_with_gpu();
  cudaGetLastError();  // else the next launch would report this one; what broke the context stays and shows again
  if (const auto advice = advice_for(code, here))
    throw UserError(ExitCode::missing, advice->what, advice->remedy);
  fail_check(expression, file, line, concat(cudaGetErrorName(code), ": ", cudaGetErrorString(code)));
}

}  // namespace cuda

GpuReport gpus() {
  GpuReport report{.built = true,
                   .toolkit = cuda::version_text(CUDART_VERSION),
                   .driver = cuda::driver_version(),
                   .architectures = MOE_CUDA_ARCHITECTURES};
  int count = 0;
  if (const cudaError_t code = cudaGetDeviceCount(&count); code != cudaSuccess) {
    const auto advice = cuda::advice_for(code, cuda::setting());
    cuda::explain(report,
                  advice ? *advice : cuda::Advice{cudaGetErrorString(code), "`nvidia-smi` may say more."});
    cudaGetLastError();  // clears it
    return report;
  }
  for (int i = 0; i < count; ++i) report.gpus.push_back(cuda::properties_of(i));
  if (count == 0)
    cuda::explain(report, *cuda::advice_for(cudaErrorNoDevice, cuda::setting()));
  else if (!report.usable())
    cuda::explain(report, cuda::no_code_for(report.gpus.front()));
  return report;
}

namespace cuda {

Gpu gpu(int index) {
  const GpuReport report = gpus();
  if (report.gpus.empty()) throw UserError(ExitCode::missing, report.problem, report.remedy);
  if (index < 0 || index >= static_cast<int>(report.gpus.size()))
    throw UserError(ExitCode::missing,
                    concat("there is no GPU ", index, ", only 0 to ", report.gpus.size() - 1),
                    "`./moe doctor` lists them.");
  const Gpu& gpu = report.gpus[static_cast<std::size_t>(index)];
  if (!gpu.runs) {
    const Advice advice = no_code_for(gpu);
    throw UserError(ExitCode::missing, advice.what, advice.remedy);
  }
  return gpu;
}

void* make_stream(int index) {
  use(index);
  cudaStream_t stream = nullptr;
  CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}
void destroy_stream(void* stream) noexcept {
  cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}
void synchronize(void* stream) {
  CUDA_CHECK(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
}

void* make_event(int index) {
  use(index);
  cudaEvent_t event = nullptr;
  CUDA_CHECK(cudaEventCreate(&event));
  return event;
}
void destroy_event(void* event) noexcept {
  cudaEventDestroy(static_cast<cudaEvent_t>(event));
}
void record(void* event, void* stream) {
  CUDA_CHECK(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(stream)));
}
void wait_for(void* event) {
  CUDA_CHECK(cudaEventSynchronize(static_cast<cudaEvent_t>(event)));
}
double seconds_between(void* first, void* last) {
  float milliseconds = 0;
  CUDA_CHECK(
      cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(first), static_cast<cudaEvent_t>(last)));
  return milliseconds / 1e3;
}

void push_range(const char* name) {
  nvtxRangePushA(name);
}
void pop_range() {
  nvtxRangePop();
}

}  // namespace cuda
}  // namespace moe
#endif
