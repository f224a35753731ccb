#include "common/app/device.hpp"

#include <charconv>
#include <optional>

#include "common/app/format.hpp"
#include "kernels/base/context.hpp"
#include "kernels/base/cuda/advice.hpp"

namespace moe {
namespace {

std::string describe(const Gpu& gpu) {
  return concat(gpu.name, ", ", format_bytes(static_cast<double>(gpu.bytes)), ", sm_", gpu.sm);
}

DeviceChoice on(const Gpu& gpu) {
  return {{DeviceKind::cuda, gpu.index, gpu.code}, describe(gpu)};
}

DeviceChoice choose_automatically(const GpuReport& report) {
  if (const Gpu* gpu = report.usable()) return on(*gpu);
  return {{DeviceKind::cpu}, concat("no GPU: ", report.problem)};
}

[[noreturn]] void no_code_for(const Gpu& gpu, const GpuReport& report) {
  const auto advice = cuda::advice_for(
      cuda::kNoKernelImage, {.gpu = gpu.name, .sm = gpu.sm, .architectures = report.architectures});
  throw UserError(ExitCode::missing, advice->what, advice->remedy);
}

// index -1: the first that works.
DeviceChoice choose_gpu(int index, const GpuReport& report) {
  if (index < 0 && report.usable()) return on(*report.usable());
  if (report.gpus.empty() || index < 0) throw UserError(ExitCode::missing, report.problem, report.remedy);
  if (index >= static_cast<int>(report.gpus.size()))
    throw UserError(ExitCode::missing,
                    concat("there is no GPU ", index, ", only 0 to ", report.gpus.size() - 1),
                    "`./moe doctor` lists them.");
  const Gpu& gpu = report.gpus[static_cast<std::size_t>(index)];
  if (!gpu.runs) no_code_for(gpu, report);
  return on(gpu);
}

DeviceChoice choose_emulated(DeviceKind kind) {
  require_built_for(kind);
  return {{kind}, ""};
}

// 3 of "cuda:3", -1 of "cuda".
std::optional<int> gpu_index(const std::string& text) {
  if (text == "cuda") return -1;
  int index = -1;
  const std::string prefix = "cuda:";
  if (!text.starts_with(prefix)) return std::nullopt;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + prefix.size(), end, index);
  return error == std::errc() && last == end && index >= 0 ? std::optional(index) : std::nullopt;
}

}  // namespace

DeviceChoice choose_device(const std::string& text, const std::function<GpuReport()>& find_gpus) {
  if (text == "auto") return choose_automatically(find_gpus());
  if (text == "cpu") return {};
  if (text == "emulated") return choose_emulated(DeviceKind::emulated);
  if (text == "checked") return choose_emulated(DeviceKind::checked);
  if (const auto index = gpu_index(text)) return choose_gpu(*index, find_gpus());
  throw UserError(ExitCode::usage, concat("there is no device '", text, "'"),
                  concat("--device takes ", kDeviceHelp, "."));
}

}  // namespace moe
