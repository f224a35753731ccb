// Training steps of the demo's two models: rate, share of the matrix products, and time by operation against memory bandwidth.
#include <cstdio>

#include "cli/measure/bench.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "common/nn/cost.hpp"
#include "common/report/table.hpp"
#include "common/train/trainer.hpp"
#include "kernels/gemm/gemm_log.hpp"

namespace moe {
namespace {

struct TrainMeasurement {
  double step_seconds, gemm_seconds, tokens_per_second;
  std::size_t peak_early, peak_late;  // bytes after a few steps, and at the end
  std::vector<Profiler::Row> rows;    // totals over `steps`
  std::int64_t steps;
};

TrainMeasurement measure(Context& ctx, Trainer& trainer, std::int64_t steps) {
  for (int i = 0; i < 5; ++i) trainer.step(false);
  TrainMeasurement m{};
  m.peak_early = ctx.allocator->peak_bytes();
  m.steps = steps;
  GemmLog log(ctx.threads);
  ctx.gemm_log = &log;
  trainer.step(false);
  ctx.gemm_log = nullptr;

  Profiler profiler;
  std::vector<double> step, gemm;
  for (std::int64_t i = 0; i < steps; ++i) {
    ctx.profiler = &profiler;
    step.push_back(seconds_of([&] { trainer.step(false); }));
    ctx.profiler = nullptr;
    gemm.push_back(seconds_of([&] { log.replay(ctx); }));
  }
  m.step_seconds = median(step);
  m.gemm_seconds = median(gemm);
  m.tokens_per_second =
      static_cast<double>(trainer.settings().sequences * trainer.settings().length) / m.step_seconds;
  m.peak_late = ctx.allocator->peak_bytes();
  m.rows = profiler.rows();
  return m;
}

bool has_products(const Profiler::Row& r) {
  return r.flops > 20 * r.bytes / 4;
}
double bytes_a_call(const Profiler::Row& r) {
  return r.bytes / static_cast<double>(r.calls);
}
// Time over the time its bytes take at the copy's rate; 0 where it moves none.
double times_bandwidth(const Profiler::Row& r, double bandwidth) {
  return r.bytes > 0 ? r.seconds / (r.bytes / bandwidth) : 0;
}
double total_seconds(const TrainMeasurement& m) {
  double total = 0;
  for (const Profiler::Row& r : m.rows) total += r.seconds;
  return total;
}

// "x bandwidth" stands at what is not bound by matrix products.
Table operations(const TrainMeasurement& m, double bandwidth) {
  Table table({{"operation", Align::left},
               {"share"},
               {"ms a step"},
               {"calls a step"},
               {"KiB a call"},
               {"GFLOP/s"},
               {"GB/s"},
               {"x bandwidth"}});
  const double total = total_seconds(m);
  for (const Profiler::Row& r : m.rows)
    table.row({r.name, format_percent(r.seconds / total),
               format_fixed(1e3 * r.seconds / static_cast<double>(m.steps), 3),
               format_fixed(static_cast<double>(r.calls) / static_cast<double>(m.steps), 0),
               format_fixed(bytes_a_call(r) / 1024, 0), format_fixed(r.flops / r.seconds / 1e9, 1),
               format_fixed(r.bytes / r.seconds / 1e9, 1),
               has_products(r) || r.bytes == 0 ? "" : format_fixed(times_bandwidth(r, bandwidth), 2)});
  return table;
}

// "of what has no products, softmax takes longest: 1.91 times its bytes"
std::string summary_of(const TrainMeasurement& m, double bandwidth) {
  const Profiler::Row* worst = nullptr;
  for (const Profiler::Row& r : m.rows)
    if (!has_products(r) && r.bytes > 0)
      if (!worst || times_bandwidth(r, bandwidth) > times_bandwidth(*worst, bandwidth)) worst = &r;
  if (!worst) return "";
  return concat("of what has no products, ", worst->name,
                " takes longest: ", format_fixed(times_bandwidth(*worst, bandwidth), 2), " times its bytes");
}

}  // namespace

int bench_train_main(int argc, char** argv) {
  std::int64_t threads = this_machine().cores, steps = 30, experts = 32;
  bool by_operation = false;
  TableForm form;
  Flags flags("moe bench train",
              "Times training steps of the demo's models and shows where the time goes, by operation.",
              "moe bench train\nmoe bench train --threads 1 --experts 8 --json");
  flags.add("--threads", threads, "threads", between(1, 1024));
  flags.add("--steps", steps, "measured steps", between(3, 100000));
  flags.add("--experts", experts, "experts of the MoE model", between(2, 4096));
  form.add_to(flags);
  flags.add("--by-operation", by_operation,
            "with --json or --markdown: the MoE model's time by operation instead");
  flags.parse(argc, argv);

  LanguageModelConfig moe = demo_model();
  moe.moe.experts = experts;
  const Corpus corpus = load_corpus({});
  Table summary({{"model", Align::left},
                 {"threads"},
                 {"tokens_per_second"},
                 {"step_seconds"},
                 {"gemm_seconds"},
                 {"fraction_of_gemm"},
                 {"peak_mib_early"},
                 {"peak_mib_late"}});
  for (const bool dense : {true, false}) {
    Context ctx(static_cast<int>(threads));
    Trainer trainer(ctx, dense ? dense_twin(moe) : moe, {.steps = steps + 100}, corpus);
    const double bandwidth = copy_bandwidth(ctx);
    const TrainMeasurement m = measure(ctx, trainer, steps);
    const char* name = dense ? "dense" : "moe";
    summary.row({name, std::to_string(threads), format_fixed(m.tokens_per_second, 0),
                 format_fixed(m.step_seconds, 5), format_fixed(m.gemm_seconds, 5),
                 format_fixed(m.gemm_seconds / m.step_seconds, 3),
                 format_fixed(static_cast<double>(m.peak_early) / 1048576, 1),
                 format_fixed(static_cast<double>(m.peak_late) / 1048576, 1)});
    const Table table = operations(m, bandwidth);
    if (form.is_terminal())
      std::printf("%s: time by operation; copy bandwidth %.1f GB/s\n%s%s\n\n", name, bandwidth / 1e9,
                  table.terminal().c_str(), summary_of(m, bandwidth).c_str());
    if (!dense && by_operation && !form.is_terminal()) return form.print(table);
  }
  return form.print(summary);
}

}  // namespace moe
