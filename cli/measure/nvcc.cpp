#include "cli/measure/nvcc.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

#include "common/app/scratch_directory.hpp"
#include "common/io/file.hpp"
#include "common/report/subprocess.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLongestText = 1 << 26;
constexpr double kLongestRun = 900;  // seconds, of a machine that is busy

template <class Use>
void each_line(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    use(std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string output_of(const std::vector<std::string>& command) {
  const ProgramResult result = run_program(command, "");
  if (result.status != 0)
    throw UserError(ExitCode::missing, concat(command[0], " ", command[1], " does not work"),
                    "CUDACXX=/path/to/nvcc names another one");
  return result.output;
}

// PTX that nvcc kept; its name has the compute capability only where there are several.
std::string read_ptx(const fs::path& folder, const std::string& file, int sm) {
  const std::string stem = fs::path(file).stem().string();
  const fs::path named = folder / concat(stem, ".compute_", sm, ".ptx");
  return read_text_file((fs::exists(named) ? named : folder / (stem + ".ptx")).string(), kLongestText);
}

// "// PTX: mma.sync, ldmatrix" in the comment that a file begins with.
std::vector<std::string> claims_of(const std::string& source) {
  std::vector<std::string> claims;
  bool in_comment = true;
  each_line(source, [&](const std::string& line) {
    in_comment = in_comment && line.starts_with("//");
    if (!in_comment || !line.starts_with("// PTX: ")) return;
    std::istringstream words(line.substr(8));
    for (std::string word; words >> word;) {
      while (!word.empty() && (word.back() == ',' || word.back() == '.')) word.pop_back();
      claims.push_back(word);
    }
  });
  return claims;
}

std::vector<std::string> command_for(const std::string& nvcc, const std::string& file,
                                     const std::vector<int>& sms, const fs::path& folder) {
  // No threads: the logs of several compute capabilities would mix.
  std::vector<std::string> words = {nvcc,
                                    "-std=c++20",
                                    "-I.",
                                    "-O3",
                                    "--Werror",
                                    "all-warnings",
                                    "-Xptxas",
                                    "-v",
                                    "--keep",
                                    "--keep-dir",
                                    folder.string(),
                                    "-fatbin",
                                    "-o",
                                    (folder / "all.fatbin").string(),
                                    file};
  for (const int sm : sms) words.push_back(concat("-gencode=arch=compute_", sm, ",code=sm_", sm));
  return words;
}

void add_instructions(CompiledFile& result, const std::string& ptx, int sm) {
  for (const auto& [kernel, instructions] : parse_ptx(ptx))
    for (KernelFacts& facts : result.kernels)
      if (facts.kernel == kernel && facts.sm == sm) facts.instructions = instructions;
}

void check_claims(CompiledFile& result, int sm) {
  const auto fault = [&](auto&&... words) { result.faults.push_back(concat(result.file, ": ", words...)); };
  for (const std::string& claim : result.claims) {
    if (std::find(std::begin(kInstructions), std::end(kInstructions), claim) == std::end(kInstructions))
      fault("claims ", claim, ", which nobody looks for (cli/measure/nvcc.hpp)");
    const bool found = std::any_of(result.kernels.begin(), result.kernels.end(), [&](const KernelFacts& k) {
      return k.sm == sm &&
             std::find(k.instructions.begin(), k.instructions.end(), claim) != k.instructions.end();
    });
    if (sm >= kTensorCoreSm && !found) fault("no ", claim, " in its PTX for sm_", sm, ", but it claims it");
  }
}

void check_kernels(CompiledFile& result, const std::vector<int>& sms) {
  const auto fault = [&](auto&&... words) { result.faults.push_back(concat(result.file, ": ", words...)); };
  for (const KernelFacts& k : result.kernels)
    if (k.registers < 0 || k.spilled_bytes < 0)
      fault("sm_", k.sm, ": ", k.kernel, ": ptxas's words are not understood");
    else if (k.spilled_bytes > 0)
      fault("sm_", k.sm, ": ", k.kernel, " spills ", k.spilled_bytes, " bytes");
  for (const int sm : sms) {
    if (std::none_of(result.kernels.begin(), result.kernels.end(), [&](const auto& k) { return k.sm == sm; }))
      fault("no kernel for sm_", sm);
    check_claims(result, sm);
  }
  if (result.claims.empty() && fs::path(result.file).filename().string().find("mma") != std::string::npos)
    fault("its name promises tensor cores, but no line `// PTX: mma.sync, ...` in its first comment does");
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

bool is_program(const std::string& file) {
  return access(file.c_str(), X_OK) == 0 && !fs::is_directory(file);
}

}  // namespace

std::string program_in_path(const std::string& name) {
  std::istringstream folders(variable("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const std::string file = folder + "/" + name; is_program(file)) return file;
  return "";
}

std::string nvcc_path() {
  const std::string named = variable("CUDACXX"), usual = "/usr/local/cuda/bin/nvcc";
  if (!named.empty()) return is_program(named) ? named : "";
  const std::string in_path = program_in_path("nvcc");
  return !in_path.empty() ? in_path : is_program(usual) ? usual : "";
}

std::string find_nvcc() {
  if (const std::string path = nvcc_path(); !path.empty()) return path;
  const std::string named = variable("CUDACXX");
  throw UserError(ExitCode::missing,
                  named.empty() ? "there is no nvcc" : concat("CUDACXX: ", named, " is no program"),
                  "install the CUDA toolkit (developer.nvidia.com/cuda-downloads), or name its nvcc: "
                  "CUDACXX=/path/to/nvcc");
}

std::string nvcc_version(const std::string& nvcc) {
  const std::string text = output_of({nvcc, "--version"});
  const std::size_t at = text.rfind(", V");
  if (at == std::string::npos)
    throw UserError(ExitCode::missing, concat(nvcc, " --version does not tell its version"),
                    "CUDACXX=/path/to/nvcc names another one");
  return text.substr(at + 3, text.find_first_not_of("0123456789.", at + 3) - at - 3);
}

std::vector<int> nvcc_capabilities(const std::string& nvcc) {
  std::vector<int> sms;
  each_line(output_of({nvcc, "--list-gpu-arch"}), [&](const std::string& line) {
    int sm = 0;
    if (std::sscanf(line.c_str(), "compute_%d", &sm) == 1) sms.push_back(sm);
  });
  return sms;
}

CompiledFile compile(const std::string& nvcc, const std::string& file, const std::vector<int>& sms) {
  CompiledFile result{.file = file, .claims = claims_of(read_text_file(file, kLongestText))};
  const ScratchDirectory scratch("moe_nvcc");
  const fs::path& folder = scratch.path();
  const ProgramResult nvcc_run = run_program(command_for(nvcc, file, sms, folder), "", kLongestRun);
  const std::string log = nvcc_run.output + nvcc_run.errors;
  if (nvcc_run.status != 0 || log.find("warning") != std::string::npos) {
    result.faults.push_back(concat(file, ": nvcc ends with code ", nvcc_run.status, " and says\n", log));
    return result;
  }
  result.kernels = parse_ptxas(log);
  for (const int sm : sms) add_instructions(result, read_ptx(folder, file, sm), sm);
  check_kernels(result, sms);
  return result;
}

std::vector<KernelFacts> parse_ptxas(std::string_view log) {
  std::vector<KernelFacts> kernels;
  each_line(log, [&](const std::string& line) {
    char name[4096];
    int sm = 0, stack = 0, stores = 0, loads = 0, registers = 0;
    if (std::sscanf(line.c_str(), "ptxas info : Compiling entry function '%4095[^']' for 'sm_%d", name,
                    &sm) == 2) {
      kernels.push_back({.kernel = kernel_name(name), .sm = sm});
    }
    if (kernels.empty()) return;
    KernelFacts& k = kernels.back();
    // Of the kernel itself, and of functions that were not inlined into it.
    if (std::sscanf(line.c_str(), " %d bytes stack frame, %d bytes spill stores, %d bytes spill loads",
                    &stack, &stores, &loads) == 3) {
      k.stack_bytes = std::max(k.stack_bytes, stack);
      k.spilled_bytes = std::max(k.spilled_bytes, 0) + stores + loads;
    }
    if (std::sscanf(line.c_str(), "ptxas info : Used %d registers", &registers) != 1) return;
    k.registers = registers;
    const auto bytes_before = [&](const char* word) {
      const std::size_t at = line.find(word);
      return at == std::string::npos ? 0 : std::atoi(line.c_str() + line.rfind(',', at) + 1);
    };
    k.shared_bytes = bytes_before(" bytes smem");
    k.stack_bytes = std::max(k.stack_bytes, bytes_before(" bytes cumulative stack size"));
  });
  return kernels;
}

std::vector<std::pair<std::string, std::vector<std::string_view>>> parse_ptx(std::string_view ptx) {
  std::vector<std::pair<std::string, std::vector<std::string_view>>> kernels;
  bool inside = false;
  each_line(ptx, [&](const std::string& line) {
    const std::size_t entry = line.find(".entry ");
    if (entry != std::string::npos) {
      kernels.push_back({kernel_name(line.substr(entry + 7, line.find('(', entry) - entry - 7)), {}});
      inside = true;
    }
    if (line.starts_with("}")) inside = false;
    if (!inside) return;
    auto& found = kernels.back().second;
    for (const std::string_view name : kInstructions)
      if (line.find(name) != std::string::npos && std::find(found.begin(), found.end(), name) == found.end())
        found.push_back(name);
  });
  return kernels;
}

std::string kernel_name(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  std::string name = status == 0 ? text.get() : mangled;
  for (const std::string_view noise : {"moe::", "kernels_cuda::", "(anonymous namespace)::"})
    for (std::size_t at; (at = name.find(noise)) != std::string::npos;) name.erase(at, noise.size());
  int depth = 0;  // the parameters begin at the first bracket that no template argument holds
  for (std::size_t i = 0; i < name.size(); ++i) {
    depth += name[i] == '<' ? 1 : name[i] == '>' ? -1 : 0;
    if (name[i] == '(' && depth == 0) name.resize(i);
  }
  return name.starts_with("void ") ? name.substr(5) : name;
}

}  // namespace moe
