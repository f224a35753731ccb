// How fast a GPU could be at best: what each operation of a training step must move and compute, over a GPU's rates.
#include <algorithm>

#include "cli/measure/bench.hpp"
#include "cli/measure/operations.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/nn/cost.hpp"
#include "common/train/trainer.hpp"

namespace moe {
namespace {

// Of an H100 (SXM). Bandwidth and the bf16 rate were measured on one; f32 without tensor cores is the data sheet's.
struct Rates {
  double gigabytes = 3000, bf16_teraflops = 798, f32_teraflops = 67;
};

struct Floor {
  double memory, arithmetic;  // seconds
  double seconds() const { return std::max(memory, arithmetic); }
};

Floor floor_of(double bytes, double flops, double gigabytes, double teraflops) {
  return {bytes / (1e9 * gigabytes), flops / (1e12 * teraflops)};
}

// Counts of one step of the demo's MoE model; they are the same on every machine.
std::vector<Profiler::Row> profiled_step(LanguageModelConfig model) {
  Context ctx;
  const Corpus corpus = load_corpus({});
  Trainer trainer(ctx, model, {.steps = 2}, corpus);
  Profiler profiler;
  ctx.profiler = &profiler;
  trainer.step(false);
  ctx.profiler = nullptr;
  std::vector<Profiler::Row> rows = profiler.rows();
  std::erase_if(rows, [](const Profiler::Row& r) { return r.bytes == 0 && r.flops == 0; });
  return rows;
}

std::string microseconds(double seconds) {
  return format_fixed(1e6 * seconds, 2);
}

// Operations that take bf16 read their f32 operands from memory all the same, and round them: the bytes stay.
Table table_of_floors(std::vector<Profiler::Row> rows, const Rates& rates) {
  const auto f32 = [&](const Profiler::Row& r) {
    return floor_of(r.bytes, r.flops, rates.gigabytes, rates.f32_teraflops);
  };
  const auto bf16 = [&](const Profiler::Row& r) {
    return floor_of(r.bytes, r.flops, rates.gigabytes,
                    takes_bf16(r.name) ? rates.bf16_teraflops : rates.f32_teraflops);
  };
  const auto bound = [](const Floor& f) { return f.memory >= f.arithmetic ? "memory" : "arithmetic"; };
  std::sort(rows.begin(), rows.end(), [&](const Profiler::Row& a, const Profiler::Row& b) {
    return std::pair(-f32(a).seconds(), a.name) < std::pair(-f32(b).seconds(), b.name);
  });
  Table table({{"operation", Align::left},
               {"calls a step"},
               {"MB"},
               {"MFLOP"},
               {"floor f32, µs"},
               {"f32 bound by", Align::left},
               {"floor bf16, µs"},
               {"bf16 bound by", Align::left},
               {"on a GPU", Align::left}});
  Profiler::Row all{.name = "all"};
  double all_f32 = 0, all_bf16 = 0;
  for (const Profiler::Row& r : rows) {
    table.row({r.name, std::to_string(r.calls), format_fixed(r.bytes / 1e6, 3),
               format_fixed(r.flops / 1e6, 3), microseconds(f32(r).seconds()), bound(f32(r)),
               microseconds(bf16(r).seconds()), bound(bf16(r)), "not yet measured"});
    all.calls += r.calls;
    all.bytes += r.bytes;
    all.flops += r.flops;
    all_f32 += f32(r).seconds();
    all_bf16 += bf16(r).seconds();
  }
  table.rule();
  table.row({all.name, std::to_string(all.calls), format_fixed(all.bytes / 1e6, 3),
             format_fixed(all.flops / 1e6, 3), microseconds(all_f32), "", microseconds(all_bf16), "",
             "not yet measured"});
  return table;
}

}  // namespace

int bench_floors_main(int argc, char** argv) {
  Rates rates;
  std::int64_t experts = 32;
  TableForm form;
  Flags flags(
      "moe bench floors",
      "The least time a GPU can need for each operation of a training step of the demo's MoE model: its "
      "bytes over the memory's rate, or its FLOPs over the arithmetic's.",
      "moe bench floors\nmoe bench floors --bandwidth 1008 --bf16 165 --f32 83");
  flags.add("--bandwidth", rates.gigabytes, "of memory, GB/s", between(1, 1e6));
  flags.add("--bf16", rates.bf16_teraflops, "of tensor cores with bf16 operands, TFLOP/s",
            between(0.01, 1e6));
  flags.add("--f32", rates.f32_teraflops, "without tensor cores, TFLOP/s", between(0.01, 1e6));
  flags.add("--experts", experts, "experts of the MoE model", between(2, 4096));
  form.add_to(flags);
  flags.parse(argc, argv);

  LanguageModelConfig model = demo_model();
  model.moe.experts = experts;
  const Table table = table_of_floors(profiled_step(model), rates);
  return form.print(table);
}

}  // namespace moe
