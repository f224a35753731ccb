#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "cli/measure/bench.hpp"
#include "cli/measure/doctor.hpp"
#include "cli/measure/nvcc.hpp"
#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "kernels/base/context.hpp"
#include "kernels/base/cuda/runtime.hpp"
#include "kernels/base/random.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

Finding optional_program(const std::string& name, const std::string& gives, const std::string& remedy) {
  const std::string file = program_in_path(name);
  if (file.empty()) return {name, State::missing, "without it: no " + gives, remedy};
  return {name, State::works, gives};
}

#if defined(__x86_64__)
std::string best_vector_unit() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") ? "AVX-512" : __builtin_cpu_supports("avx2") ? "AVX2" : "SSE";
}
#elif defined(__aarch64__)
std::string best_vector_unit() {
  return "NEON";
}
#else
std::string best_vector_unit() {
  return "unknown";
}
#endif

constexpr const char* kBuiltFor =
#if defined(__AVX512F__)
    "AVX-512";
#elif defined(__AVX2__)
    "AVX2";
#elif defined(__x86_64__)
    "SSE";
#elif defined(__aarch64__)
    "NEON";
#else
    "unknown";
#endif

Finding vector_unit() {
  const std::string here = best_vector_unit();
  Finding f{"vector unit", State::fact, concat(here, ", and this build uses ", kBuiltFor)};
  if (here != kBuiltFor) f.remedy = "cmake --preset cpu -DMOE_NATIVE=ON && cmake --build --preset cpu";
  return f;
}

// f32, 1024³; the median of a few.
double gemm_rate(int threads) {
  constexpr std::int64_t n = 1024;
  Context ctx(threads);
  Scratch<float> a(ctx, n * n), b(ctx, n * n), c(ctx, n * n);
  fill_normal<float>(ctx, a.data(), 1, {.seed = 1}, n * n);
  fill_normal<float>(ctx, b.data(), 1, {.seed = 2}, n * n);
  const auto product = [&] { gemm<float>(ctx, c.data(), a.data(), b.data(), gemm_shape(n, n, n)); };
  product();  // touches the memory, starts the threads
  std::vector<double> seconds;
  for (int i = 0; i < 7; ++i) seconds.push_back(seconds_of(product));
  return 2.0 * n * n * n / median(seconds);
}

Finding matrix_library(int threads) {
  const std::string library = gemm_library();
  Finding f{"matrix products", State::fact,
            concat(library, ", ", format_fixed(gemm_rate(threads) / 1e9, 0), " GFLOP/s in f32 on ", threads,
                   threads == 1 ? " thread" : " threads", " (1024 x 1024 x 1024)")};
  if (library.starts_with("Eigen"))
    f.remedy = "apt-get install libdnnl-dev && ./moe clean, for oneDNN: about 1.6 times as fast";
  return f;
}

Finding emulated(DeviceKind kind, const std::string& what, const std::string& detail,
                 const std::string& gives, const std::string& option) {
  if (!built_for(kind))
    return {what, State::missing, detail,
            concat("Linux, on other processors than x86-64 with Boost.Context: cmake --preset cpu -D", option,
                   "=ON && cmake --build --preset cpu")};
  return {what, State::works, detail, "", concat("./moe demo --device ", name_of(kind), " --quick"), gives};
}

Finding cuda_build(const GpuReport& report) {
  if (report.built)
    return {"CUDA kernels", State::works, concat("CUDA ", report.toolkit, ", for sm ", report.architectures)};
  const std::string compiler = nvcc_path();
  return {"CUDA kernels", State::missing, "this build has none",
          compiler.empty() ? "Install CUDA 12.6 or newer (developer.nvidia.com/cuda-downloads), then: "
                             "cmake --workflow --preset cuda"
                           : concat("cmake --workflow --preset cuda   (with ", compiler, ")")};
}

// A build without CUDA cannot ask the driver, but sees its files.
Finding driver(const GpuReport& report) {
  const bool files = fs::exists("/proc/driver/nvidia/version");
  if (!report.driver.empty())
    return {"NVIDIA driver", State::works, concat("knows CUDA up to ", report.driver)};
  if (!report.built && files) return {"NVIDIA driver", State::works, "there is one"};
  return {"NVIDIA driver", State::missing, "none found",
          report.built ? report.remedy : "Only for a machine with an NVIDIA GPU: see its system's manual."};
}

Finding describe(const Gpu& gpu) {
  Finding f{concat("GPU ", gpu.index), gpu.runs ? State::works : State::missing,
            concat(gpu.name, ", ", format_bytes(static_cast<double>(gpu.bytes)), ", sm_", gpu.sm)};
  if (gpu.runs) {
    f.command = concat("./moe demo --device cuda:", gpu.index);
    f.gives = "trains both models on this GPU";
  } else {
    f.remedy =
        concat("cmake --preset cuda -DMOE_CUDA_ARCHITECTURES=", gpu.sm, " && cmake --build --preset cuda");
  }
  return f;
}

void add_gpus(std::vector<Finding>& findings) {
  const GpuReport report = gpus();
  findings.push_back(cuda_build(report));
  findings.push_back(driver(report));
  for (const Gpu& gpu : report.gpus) findings.push_back(describe(gpu));
  if (report.built && report.gpus.empty() && !report.driver.empty())
    findings.push_back({"GPU", State::missing, report.problem, report.remedy});
}

}  // namespace

std::vector<Finding> examine() {
  const Machine machine = this_machine();
  std::vector<Finding> findings = {
      {"processor", State::fact,
       concat(machine.cpu, ", ", machine.cores, machine.cores == 1 ? " core" : " cores")},
      {"memory", State::fact, format_bytes(static_cast<double>(machine.memory))},
      {"system", State::fact, machine.os},
      vector_unit(),
      matrix_library(machine.cores),
      emulated(DeviceKind::emulated, "emulated GPU", "the CUDA kernels run on the CPU",
               "the CUDA kernels, on the CPU", "MOE_EMULATED"),
      emulated(DeviceKind::checked, "checked GPU", "the same, with every access watched for races and bounds",
               "the same, checked; slow", "MOE_CHECKED"),
  };
  add_gpus(findings);
  findings.push_back(optional_program("gnuplot", "plots in report.html", "apt-get install gnuplot-nox"));
  findings.push_back(
      optional_program("ccache", "quick second builds", "apt-get install ccache && ./moe clean"));
  return findings;
}

}  // namespace moe
