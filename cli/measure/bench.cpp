#include "cli/measure/bench.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "cli/measure/measure.hpp"
#include "kernels/base/check.hpp"
#include "kernels/base/parallel.hpp"

namespace moe {

void TableForm::add_to(Flags& flags) {
  flags.add("--json", json, "one JSON array instead of the table");
  flags.add("--markdown", markdown, "the table for a document");
}

int TableForm::print(const Table& table) const {
  std::printf("%s\n", (json ? table.json() : markdown ? table.markdown() : table.terminal()).c_str());
  return 0;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double copy_bandwidth(Context& ctx) {
  constexpr std::int64_t kBytes = 64 << 20, kChunk = 1 << 18;
  Scratch<char> from(ctx, kBytes), to(ctx, kBytes);
  std::memset(from.data(), 1, kBytes);
  std::memset(to.data(), 2, kBytes);
  std::vector<double> seconds;
  for (int i = 0; i < 9; ++i)
    seconds.push_back(seconds_of([&] {
      parallel_for(ctx, kBytes, kChunk, [&](std::int64_t b, std::int64_t e) {
        std::memcpy(to.data() + b, from.data() + b, e - b);
      });
    }));
  return 2.0 * kBytes / median(seconds);
}

int bench_main(int argc, char** argv) {
  struct Benchmark {
    std::string_view name;
    int (*function)(int, char**);
    std::string_view summary;
  };
  constexpr Benchmark kBenchmarks[] = {
      {"moe_layer", bench_moe_layer_main,
       "an MoE layer forward and backward, against its matrix products alone"},
      {"train", bench_train_main,
       "training steps of the demo's models: tokens a second, and where the time goes"},
      {"kernels", bench_kernels_main, "every version of the operations that have more than one"},
      {"tokenizer", bench_tokenizer_main, "learning a byte-level BPE, encoding and decoding, on one thread"},
      {"emulated", bench_emulated_main, "what running CUDA kernels on the CPU costs"},
      {"floors", bench_floors_main, "counts, no clock: the least time a GPU can need for a training step"},
      {"ptxas", bench_ptxas_main,
       "no clock either: every CUDA kernel's registers, memory and spills, by nvcc"},
      {"traffic", bench_traffic_main,
       "nor here: sectors and bank conflicts of every CUDA kernel, counted on the CPU"},
  };
  if (argc > 1)
    for (const Benchmark& b : kBenchmarks)
      if (b.name == argv[1]) return b.function(argc - 1, argv + 1);
  const bool help = argc > 1 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h");
  std::string list;
  for (const Benchmark& b : kBenchmarks)
    list += concat("  ", b.name, std::string(14 - b.name.size(), ' '), b.summary, "\n");
  if (!help)
    throw UserError(ExitCode::usage,
                    argc > 1 ? concat("no benchmark is called '", argv[1], "'") : "which benchmark?",
                    "moe bench --help lists them");
  std::printf("usage: moe bench NAME [OPTIONS]\n\n%s", list.c_str());
  return 0;
}

}  // namespace moe
