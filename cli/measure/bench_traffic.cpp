// What the CUDA kernels ask of memory, counted on the checked device: no clock, no GPU.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

#include "cli/measure/bench.hpp"
#include "cli/measure/operations.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/moe/routers/router.hpp"
#include "common/report/table.hpp"
#include "common/train/trainer.hpp"
#include "kernels/simt/traffic.hpp"

namespace moe {

#ifdef MOE_HAVE_CHECKED
namespace {

using simt::TrafficRow;

// One training step each; together they start every kernel that the library uses.
struct Run {
  std::string router = "top_k";
  DType matrix_inputs = DType::f32;
  std::vector<ChosenVersion> chosen = {};
};

// A later row of the same table is the one that contexts of its kind take.
bool is_best(const std::vector<VersionRow>& rows, std::size_t i) {
  for (std::size_t j = i + 1; j < rows.size() && rows[j].operation == rows[i].operation; ++j)
    if (rows[j].device == rows[i].device && rows[j].inputs == rows[i].inputs) return false;
  return true;
}

std::vector<Run> all_runs() {
  std::vector<Run> runs = {{}, {.matrix_inputs = DType::bf16}};
  for (const RouterRow& row : router_table())
    if (row.name != runs[0].router) runs.push_back({.router = row.name});
  const std::vector<VersionRow> rows = all_versions();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].device == DeviceKind::checked && !is_best(rows, i))
      runs.push_back({.matrix_inputs = rows[i].inputs, .chosen = {{rows[i].operation, rows[i].version}}});
  return runs;
}

// "gemm/1_tiled.cu"
std::string short_file(const std::string& file) {
  const std::size_t at = file.rfind("kernels/");
  return at == std::string::npos ? file : file.substr(at + 8);
}

// Of kernels that no earlier run has started: their counts are of one step, however many runs there are.
class Counted {
 public:
  void keep(const std::vector<TrafficRow>& rows) {
    std::set<Kernel> started;
    for (const TrafficRow& row : rows) {
      if (kernels_.contains({row.launched_in, row.kernel})) continue;
      started.emplace(row.launched_in, row.kernel);
      rows_.push_back(row);
    }
    kernels_.merge(started);
  }
  std::vector<TrafficRow> rows() const {
    std::vector<TrafficRow> sorted = rows_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const TrafficRow& a, const TrafficRow& b) {
      return std::pair(a.launched_in, a.kernel) < std::pair(b.launched_in, b.kernel);
    });
    return sorted;
  }

 private:
  using Kernel = std::pair<std::string, std::string>;
  std::set<Kernel> kernels_;
  std::vector<TrafficRow> rows_;
};

LanguageModelConfig model_of(const Run& run) {
  LanguageModelConfig model = demo_model();
  model.layers = 1;
  model.moe.experts = 16;
  model.moe.router = run.router;
  return model;
}

std::vector<TrafficRow> rows_of(const Run& run, const Corpus& corpus, Profiler& profiler) {
  simt::Traffic traffic;
  Context ctx(Device{.kind = DeviceKind::checked});
  ctx.matrix_inputs = run.matrix_inputs;
  ctx.chosen = run.chosen;
  ctx.traffic = &traffic;
  ctx.profiler = &profiler;
  Trainer trainer(ctx, model_of(run), {.steps = 2, .sequences = 2}, corpus);
  trainer.step(false);
  return traffic.rows();
}

// Operations that no run has called: a table without them says so.
std::string not_run(const Profiler& profiler) {
  std::set<std::string> called;
  for (const Profiler::Row& row : profiler.rows()) called.insert(row.name);
  std::string names;
  for (const VersionRow& row : all_versions())
    if (row.device == DeviceKind::checked && called.insert(row.operation).second)
      names += concat(names.empty() ? "" : ", ", row.operation);
  return names;
}

Table table_of_lines(const std::vector<TrafficRow>& rows) {
  Table table({{"kernel", Align::left},
               {"line", Align::left},
               {"memory", Align::left},
               {"access", Align::left},
               {"requests"},
               {"passes a request"},
               {"at least"},
               {"efficiency"},
               {"too many passes"}});
  for (const TrafficRow& row : rows)
    table.row({row.kernel, row.line ? concat(short_file(row.file), ":", row.line) : "unknown",
               name_of(row.space), name_of(row.kind), std::to_string(row.counts.requests),
               format_fixed(row.counts.passes_per_request(), 2),
               format_fixed(row.counts.least_per_request(), 2), format_fixed(row.counts.efficiency(), 2),
               std::to_string(row.counts.passes - row.counts.least)});
  return table;
}

// One row a kernel.
Table table_of_kernels(const std::vector<TrafficRow>& rows) {
  Table table({{"kernel", Align::left},
               {"file", Align::left},
               {"global requests"},
               {"sectors a request"},
               {"efficiency of global"},
               {"shared requests"},
               {"wavefronts a request"},
               {"efficiency of shared"}});
  std::map<std::pair<std::string, std::string>, std::array<simt::TrafficCounts, 2>> sums;
  for (const TrafficRow& row : rows)
    sums[{short_file(row.launched_in), row.kernel}][static_cast<std::size_t>(row.space)].add(row.counts);
  for (const auto& [kernel, counts] : sums) {
    std::vector<std::string> cells = {kernel.second, kernel.first};
    for (const simt::TrafficCounts& c : counts) {
      cells.push_back(std::to_string(c.requests));
      cells.push_back(c.requests ? format_fixed(c.passes_per_request(), 2) : "");
      cells.push_back(c.requests ? format_fixed(c.efficiency(), 2) : "");
    }
    table.row(cells);
  }
  return table;
}

Counted count_all(const Corpus& corpus) {
  Counted counted;
  Profiler profiler;
  for (const Run& run : all_runs()) {
    std::fprintf(stderr, "router %s, %s%s%s\n", run.router.c_str(), name_of(run.matrix_inputs),
                 run.chosen.empty() ? "" : ", ",
                 run.chosen.empty() ? "" : (run.chosen[0].operation + " " + run.chosen[0].version).c_str());
    counted.keep(rows_of(run, corpus, profiler));
  }
  if (const std::string names = not_run(profiler); !names.empty())
    std::fprintf(stderr, "not called, so not counted: %s\n", names.c_str());
  return counted;
}

void keep_only(std::vector<TrafficRow>& rows, const std::string& kernel, const std::string& operation) {
  std::erase_if(rows, [&](const TrafficRow& row) {
    return row.kernel.find(kernel) == std::string::npos ||
           short_file(row.launched_in).find(operation) == std::string::npos;
  });
  if (rows.empty())
    throw UserError(ExitCode::usage, "no kernel of this name has run",
                    "moe bench traffic without filters shows all");
}

}  // namespace

int bench_traffic_main(int argc, char** argv) {
  std::string kernel, operation;
  bool totals = false;
  TableForm form;
  Flags flags(
      "moe bench traffic",
      "Counts what the CUDA kernels ask of memory, as a GPU would serve it: 32-byte sectors of global "
      "memory, wavefronts (bank conflicts) of shared memory, for each line of source, against the least "
      "that would do. One training step of a small MoE model with each router, in f32 and bf16, on the "
      "checked device. Needs no GPU.",
      "moe bench traffic\nmoe bench traffic --totals\nmoe bench traffic --operation attention");
  flags.add("--kernel", kernel, "only kernels with this in their name");
  flags.add("--operation", operation, "only kernels with this in their file, as gemm or 1_tiled");
  flags.add("--totals", totals, "one row a kernel");
  form.add_to(flags);
  flags.parse(argc, argv);

  std::vector<TrafficRow> rows = count_all(load_corpus({})).rows();
  keep_only(rows, kernel, operation);
  const Table table = totals ? table_of_kernels(rows) : table_of_lines(rows);
  return form.print(table);
}

#else

int bench_traffic_main(int, char**) {
  throw UserError(ExitCode::missing, "this build has no checked device", "build with -DMOE_CHECKED=ON");
}

#endif

}  // namespace moe
