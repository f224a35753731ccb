#include "sessions/01_overview/moe_vs_dense/scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "common/app/format.hpp"
#include "common/app/main.hpp"
#include "common/nn/cost.hpp"
#include "common/report/gnuplot.hpp"
#include "common/report/table.hpp"
#include "common/report/write_file.hpp"
#include "common/train/run.hpp"

namespace moe::session1 {
namespace {

constexpr std::int64_t kExperts[] = {1, 2, 4, 8, 16};
constexpr std::int64_t kSeeds = 3;

// One expert is the dense twin of the largest model; all others differ from each other only by the size of the router.
LanguageModelConfig config_with(const Options& o, std::int64_t experts) {
  LanguageModelConfig c = o.model;
  c.moe.experts = experts == 1 ? kExperts[std::size(kExperts) - 1] : experts;
  return experts == 1 ? dense_twin(c) : c;
}

struct Outcome {
  double bits, seconds;
};

// A finished run only has its checkpoint verified (same flags? same text?) and is evaluated again.
std::optional<Outcome> one_run(const Options& o, const Corpus& corpus, std::int64_t experts,
                               std::int64_t seed) {
  const std::filesystem::path directory =
      std::filesystem::path(o.out) / concat("experts-", experts, "-seed-", seed);
  if (!o.quiet)
    std::fprintf(stderr, "%lld experts, seed %lld\n", static_cast<long long>(experts),
                 static_cast<long long>(seed));
  Context ctx(static_cast<int>(o.threads));
  const LanguageModelConfig config = config_with(o, experts);
  TrainSettings train = o.train;
  train.seed = static_cast<std::uint64_t>(seed);
  Trainer trainer(ctx, config, train, corpus);
  const HeldOut held_out(corpus, 16, config.context, 16384);
  const RunResult result = train_run(
      trainer, held_out, {.directory = directory, .resume = true, .quiet = o.quiet, .evaluations = 4});
  if (!result.finished) return std::nullopt;
  return Outcome{result.evaluation.bits_per_byte, result.seconds};
}

struct Spread {
  double mean = 0, deviation = 0;
};

Spread spread_of(const std::vector<double>& values) {
  Spread s;
  const double n = static_cast<double>(values.size());
  for (const double v : values) s.mean += v / n;
  for (const double v : values) s.deviation += (v - s.mean) * (v - s.mean) / std::max(1.0, n - 1);
  s.deviation = std::sqrt(s.deviation);
  return s;
}

struct Point {
  std::int64_t experts;
  ModelCost cost;
  Spread bits, seconds;
};

Table scan_table(const std::vector<Point>& points) {
  Table table({{"experts"},
               {"K"},
               {"parameters"},
               {"FLOPs a token"},
               {"held-out bits/byte"},
               {"± (3 seeds)"},
               {"training time"}});
  for (const Point& p : points)
    table.row({std::to_string(p.experts), p.experts == 1 ? "dense" : "2",
               format_count(static_cast<double>(p.cost.parameters)), format_count(p.cost.flops_per_token),
               format_fixed(p.bits.mean, 3), format_fixed(p.bits.deviation, 3),
               format_duration(p.seconds.mean)});
  return table;
}

LinePlot scan_plot(const std::vector<Point>& points) {
  Series s{.label = "mean and deviation of 3 seeds", .x = {}, .y = {}, .points = true};
  for (const Point& p : points) {
    s.x.push_back(static_cast<double>(p.experts));
    s.y.push_back(p.bits.mean);
    s.low.push_back(p.bits.mean - p.bits.deviation);
    s.high.push_back(p.bits.mean + p.bits.deviation);
  }
  return {.title = "Equal active FLOPs a token",
          .x_label = "experts (1: dense)",
          .y_label = "held-out bits per byte",
          .series = {s},
          .log_x = true};
}

void write_results(const Options& o, const std::vector<Point>& points) {
  const std::filesystem::path out = o.out;
  write_file((out / "scan.md").string(), scan_table(points).markdown());
  write_file((out / "scan.csv").string(), scan_table(points).csv());
  if (const auto svg = render_svg_file(scan_plot(points))) write_file((out / "scan.svg").string(), *svg);
}

}  // namespace

int run_scan(const Options& o, const Corpus& corpus) {
  std::vector<Point> points;
  for (const std::int64_t experts : kExperts)
    points.push_back({experts, cost_of(config_with(o, experts)), {}, {}});
  std::vector<std::vector<double>> bits(points.size()), seconds(points.size());
  for (std::int64_t seed = 1; seed <= kSeeds;
       ++seed)  // seed by seed: a first curve stands after a third of the time
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto outcome = one_run(o, corpus, points[i].experts, seed);
      if (!outcome) {
        std::fprintf(stderr, "stopped; this goes on:\n  %s\n", o.command.c_str());
        return kExitInterrupted;
      }
      bits[i].push_back(outcome->bits);
      seconds[i].push_back(outcome->seconds);
    }
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].bits = spread_of(bits[i]);
    points[i].seconds = spread_of(seconds[i]);
  }
  write_results(o, points);
  std::printf("%s", (o.json ? scan_table(points).json() : scan_table(points).terminal()).c_str());
  return 0;
}

}  // namespace moe::session1
