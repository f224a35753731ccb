// Every CUDA kernel as nvcc compiles it: registers, memory, spills, tensor-core instructions. A check as much as a table.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/measure/bench.hpp"
#include "cli/measure/nvcc.hpp"
#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "common/report/table.hpp"
#include "kernels/base/parallel.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> all_cu_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator("kernels"))
    if (entry.path().extension() == ".cu") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// Those that this nvcc compiles for: 12.6 has no sm_100 yet.
std::vector<int> known_to(const std::string& nvcc, const std::vector<int>& wanted,
                          const std::string& version) {
  const std::vector<int> known = nvcc_capabilities(nvcc);
  std::vector<int> sms;
  for (const int sm : wanted)
    if (std::find(known.begin(), known.end(), sm) != known.end())
      sms.push_back(sm);
    else
      std::fprintf(stderr, "nvcc %s does not compile for sm_%d: left out\n", version.c_str(), sm);
  if (sms.empty())
    throw UserError(ExitCode::missing,
                    concat("nvcc ", version, " compiles for none of the compute capabilities"),
                    "--sm names others");
  return sms;
}

std::vector<CompiledFile> compile_all(const std::string& nvcc, const std::vector<std::string>& files,
                                      const std::vector<int>& sms, int jobs) {
  std::vector<CompiledFile> results(files.size());
  Context ctx(jobs);
  parallel_for(ctx, static_cast<std::int64_t>(files.size()), 1, [&](std::int64_t i, std::int64_t) {
    results[i].file = files[i];
    try {
      results[i] = compile(nvcc, files[i], sms);
    } catch (const std::exception& error) {  // a body must not throw
      results[i].faults.push_back(concat(files[i], ": ", error.what()));
    }
    std::fprintf(stderr, "%s, kernels: %zu\n", files[i].c_str(), results[i].kernels.size() / sms.size());
  });
  return results;
}

// One kernel: its registers for each compute capability, and the most of everything else that any of them needs.
struct KernelRow {
  std::map<int, int> registers;
  int shared = 0, stack = 0, spilled = 0;
  std::vector<std::string_view> instructions;
};

std::map<std::string, KernelRow> by_kernel(const CompiledFile& file) {
  std::map<std::string, KernelRow> rows;
  for (const KernelFacts& k : file.kernels) {
    if (!file.claims.empty() && k.sm < kTensorCoreSm) continue;  // the kernel is a trap there
    KernelRow& row = rows[k.kernel];
    row.registers[k.sm] = k.registers;
    row.shared = std::max(row.shared, k.shared_bytes);
    row.stack = std::max(row.stack, k.stack_bytes);
    row.spilled = std::max(row.spilled, k.spilled_bytes);
    row.instructions = k.instructions;
  }
  return rows;
}

Table table_of(const std::vector<CompiledFile>& files, const std::vector<int>& sms,
               const std::string& version) {
  std::vector<Column> columns = {{concat("kernel, by nvcc ", version), Align::left}, {"file", Align::left}};
  for (const int sm : sms) columns.push_back({concat("sm_", sm)});
  for (const char* title : {"shared", "stack", "spilled"}) columns.push_back({title});
  columns.push_back({"tensor cores", Align::left});
  Table table(columns);
  for (const CompiledFile& file : files) {
    for (const auto& [kernel, row] : by_kernel(file)) {
      std::vector<std::string> cells = {kernel, file.file.substr(file.file.find('/') + 1)};
      for (const int sm : sms)
        cells.push_back(row.registers.contains(sm) ? std::to_string(row.registers.at(sm)) : "");
      for (const int bytes : {row.shared, row.stack, row.spilled}) cells.push_back(std::to_string(bytes));
      std::string instructions;
      for (const std::string_view name : row.instructions)
        instructions += concat(instructions.empty() ? "" : ", ", name);
      cells.push_back(instructions);
      table.row(cells);
    }
    table.rule();
  }
  return table;
}

}  // namespace

int bench_ptxas_main(int argc, char** argv) {
  std::int64_t jobs = this_machine().cores;
  std::vector<int> sms = {75, 80, 90, 100, 120};
  std::vector<std::string> files;
  TableForm form;
  Flags flags("moe bench ptxas",
              "Compiles the CUDA kernels with nvcc and shows what each needs: registers a thread, bytes of "
              "static shared "
              "memory and of stack, spills. Ends with code 1 on a warning, a spill, or a tensor-core file "
              "without the "
              "instructions that it claims; with 3 where there is no nvcc. Needs no GPU.",
              "moe bench ptxas\nmoe bench ptxas --sm 90 kernels/gemm/3_mma.cu");
  flags.add("--sm", sms, "compute capabilities, times ten", between(50, 999));
  flags.add("--jobs", jobs, "files at a time", between(1, 1024));
  form.add_to(flags);
  flags.add("file", files, "which .cu files; all of kernels/ without one");
  flags.parse(argc, argv);
  const std::string nvcc = find_nvcc();
  if (!fs::is_directory("kernels"))
    throw UserError(ExitCode::usage, "the kernels are not here", "run it in the repository's root");
  if (files.empty()) files = all_cu_files();
  for (const std::string& file : files)
    if (!fs::is_regular_file(file))
      throw UserError(ExitCode::bad_file, file + ": is no file", "the kernels are kernels/*/*.cu");

  const std::string version = nvcc_version(nvcc);
  if (!flags.given("--sm")) sms = known_to(nvcc, sms, version);
  const std::vector<CompiledFile> results = compile_all(nvcc, files, sms, static_cast<int>(jobs));
  const Table table = table_of(results, sms, version);
  form.print(table);
  std::size_t faults = 0;
  for (const CompiledFile& file : results)
    for (const std::string& fault : file.faults) {
      std::fprintf(stderr, "%s\n", fault.c_str());
      ++faults;
    }
  return static_cast<int>(faults ? ExitCode::verdict_failed : ExitCode::ok);
}

}  // namespace moe
