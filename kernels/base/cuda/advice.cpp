#include "kernels/base/cuda/advice.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "kernels/base/check.hpp"

namespace moe::cuda {
namespace {

// The values of cudaError_t, which stay the same from version to version.
enum Code {
  kMemoryAllocation = 2,
  kInsufficientDriver = 35,
  kDevicesUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kUnsupportedPtx = 222,
  kSystemNotReady = 802,
  kDriverMismatch = 803,
  kCompatNotSupported = 804,
  kUnknown = 999,
};

constexpr int kLeastSm = 75;

constexpr const char* kInstallDriver =
    "Install NVIDIA's driver (Debian: apt-get install nvidia-driver; Ubuntu: ubuntu-drivers install) and "
    "restart; "
    "a container is started with `docker run --gpus all`.";

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

// Within a major version an older driver runs a newer toolkit's programs, so any 12.x will do for 12.4. nvcc 11 knows no C++20.
// A build folder keeps the compiler that it was configured with: --fresh.
Advice driver_too_old(const Setting& s) {
  if (s.driver.empty()) return {"there is no NVIDIA driver here", kInstallDriver};
  const int major = std::atoi(s.driver.c_str());
  const std::string newer = "Install a newer driver (nvidia-smi shows the present one)";
  return {
      concat("the NVIDIA driver knows CUDA up to ", s.driver, ", this build was compiled with ", s.toolkit),
      major < 12 ? newer + "."
                 : concat(newer, ", or build with CUDA ", major, ": CUDACXX=/usr/local/cuda-", major,
                          "/bin/nvcc cmake --fresh --preset cuda && cmake --build --preset cuda")};
}

Advice no_kernel_image(const Setting& s) {
  if (s.sm > 0 && s.sm < kLeastSm)
    return {concat(s.gpu.empty() ? "the GPU" : s.gpu, " has compute capability ", s.sm, ", the kernels need ",
                   kLeastSm, " (Turing)"),
            "Use --device cpu, or a newer GPU."};
  return {concat("this build has code for compute capabilities ", s.architectures, ", ",
                 s.gpu.empty() ? "the GPU" : s.gpu, " needs ", s.sm),
          concat("cmake --preset cuda -DMOE_CUDA_ARCHITECTURES=", s.sm, " && cmake --build --preset cuda")};
}

}  // namespace

std::optional<Advice> advice_for(int cuda_error, const Setting& s) {
  switch (cuda_error) {
    case kMemoryAllocation:
      return Advice{
          "the GPU's memory, or the memory that it shares with the host, is full",
          "`nvidia-smi` shows who uses it; a smaller model, batch or number of experts needs less."};
    case kInsufficientDriver:
      return driver_too_old(s);
    case kNoDevice:
      return Advice{
          "the NVIDIA driver sees no GPU",
          "`nvidia-smi -L` lists what it sees; CUDA_VISIBLE_DEVICES may hide GPUs, and a container is "
          "started with `docker run --gpus all`."};
    case kInvalidDevice:
      return Advice{"there is no GPU with this number", "`./moe doctor` lists them."};
    case kDevicesUnavailable:
      return Advice{"the GPU is taken by another process or closed to computing",
                    "`nvidia-smi` shows who uses it; `nvidia-smi -q -d COMPUTE` shows its mode."};
    case kNoKernelImage:
      return no_kernel_image(s);
    case kUnsupportedPtx:
      return Advice{concat("the driver cannot compile this build's PTX (CUDA ", s.toolkit, ")"),
                    no_kernel_image(s).remedy};
    case kSystemNotReady:
      return Advice{"the driver is not ready",
                    "On machines with NVSwitch: systemctl start nvidia-fabricmanager"};
    case kDriverMismatch:
    case kCompatNotSupported:
      return Advice{
          "NVIDIA's kernel module and its libraries are of different versions",
          "Restart after an update of the driver; in a container, use an image whose CUDA is no newer than "
          "the host's driver."};
    case kUnknown:
      return Advice{"the driver fails for a reason that it does not tell",
                    "`nvidia-smi` may say more; after a suspend: rmmod nvidia_uvm && modprobe nvidia_uvm"};
    default:
      return std::nullopt;
  }
}

int code_for(const std::string& architectures, int sm) {
  int machine_code = 0, ptx = 0;
  for (const std::string& word : split(architectures)) {
    const int number = std::atoi(word.c_str());
    if (number == 0) return sm;
    const std::size_t digits = std::to_string(number).size();
    const std::string suffix = word.substr(std::min(digits, word.size()));
    const bool one_gpu = suffix.starts_with("a"), one_family = suffix.starts_with("f");
    const bool same_family = sm / 10 == number / 10 && sm >= number;
    if (one_gpu ? sm == number : same_family && suffix != "-virtual")
      machine_code = std::max(machine_code, number);
    if (!one_gpu && !one_family && suffix != "-real" && sm >= number) ptx = std::max(ptx, number);
  }
  return machine_code > 0 ? machine_code : ptx;
}

std::string version_text(int version) {
  return version <= 0 ? "" : concat(version / 1000, ".", version % 1000 / 10);
}

}  // namespace moe::cuda
