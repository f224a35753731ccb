#include "sessions/01_overview/moe_vs_dense/scan.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "common/app/format.hpp"
#include "common/app/main.hpp"
#include "common/io/config_json.hpp"
#include "common/nn/cost.hpp"
#include "common/report/gnuplot.hpp"
#include "common/report/table.hpp"
#include "common/report/write_file.hpp"
#include "common/train/run.hpp"
#include "sessions/01_overview/experiment/statistics.hpp"

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
  Curve curve;
};

// A finished run only has its checkpoint verified (same flags? same text?) and is evaluated again.
std::optional<Outcome> one_run(const Options& o, const Corpus& corpus, std::int64_t experts,
                               std::int64_t seed) {
  const std::filesystem::path directory =
      std::filesystem::path(o.out) / concat("experts-", experts, "-seed-", seed);
  if (!o.quiet)
    std::fprintf(stderr, "%lld experts, seed %lld\n", static_cast<long long>(experts),
                 static_cast<long long>(seed));
  const std::unique_ptr<Context> ctx = make_context(o);
  const LanguageModelConfig config = config_with(o, experts);
  TrainSettings train = o.train;
  train.seed = static_cast<std::uint64_t>(seed);
  Trainer trainer(*ctx, config, train, corpus);
  const HeldOut held_out(corpus, 16, config.context, 16384);
  const RunResult result = train_run(
      trainer, held_out, {.directory = directory, .resume = true, .quiet = o.quiet, .evaluations = 12});
  if (!result.finished) return std::nullopt;
  return Outcome{result.evaluation.bits_per_byte, result.seconds,
                 held_out_curve(read_metrics((directory / "metrics.jsonl").string()))};
}

// One row of the table. Gaps are paired: models of one seed saw the same batches, so their difference varies less than they do.
struct Point {
  std::int64_t experts;
  ModelCost cost;
  Spread bits, seconds;
  Spread gap,
      gap_at_seconds;  // bits per byte minus the dense model's: after equal steps, after equal seconds
};

// outcomes[i][s]: of models[i] with seed s; models[0] is dense.
std::vector<Point> summarise(const Options& o, const std::vector<std::vector<Outcome>>& outcomes) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::vector<double> bits, seconds, gap, gap_at_seconds;
    for (std::size_t s = 0; s < outcomes[i].size(); ++s) {
      const Outcome &dense = outcomes[0][s], &here = outcomes[i][s];
      const double fair = std::min(dense.seconds, here.seconds);
      bits.push_back(here.bits);
      seconds.push_back(here.seconds);
      gap.push_back(here.bits - dense.bits);
      gap_at_seconds.push_back(here.curve.at(fair) - dense.curve.at(fair));
    }
    points.push_back({kExperts[i], cost_of(config_with(o, kExperts[i])), spread_of(bits), spread_of(seconds),
                      spread_of(gap), spread_of(gap_at_seconds)});
  }
  return points;
}

std::string with_deviation(const Spread& s) {
  return concat(format_fixed(s.mean, 3), " ± ", format_fixed(s.deviation, 3));
}

Table scan_table(const Options& o, const std::vector<Point>& points) {
  Table table({{"experts"},
               {"K"},
               {"parameters"},
               {"FLOPs a token"},
               {"held-out bits/byte"},
               {"gap to dense"},
               {"gap at equal seconds"},
               {"training time"}});
  for (const Point& p : points)
    table.row({std::to_string(p.experts), p.experts == 1 ? "dense" : std::to_string(o.model.moe.top_k),
               format_count(static_cast<double>(p.cost.parameters)), format_count(p.cost.flops_per_token),
               with_deviation(p.bits), p.experts == 1 ? "" : with_deviation(p.gap),
               p.experts == 1 ? "" : with_deviation(p.gap_at_seconds), format_duration(p.seconds.mean)});
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
  write_file((out / "scan.md").string(), scan_table(o, points).markdown());
  write_file((out / "scan.csv").string(), scan_table(o, points).csv());
  if (const auto svg = render_svg_file(scan_plot(points))) write_file((out / "scan.svg").string(), *svg);
}

}  // namespace

int run_scan(const Options& o, const Corpus& corpus) {
  for (const std::int64_t experts : kExperts)  // before hours of training, not after
    validate_config(config_with(o, experts), concat("flags, with ", experts, " experts"), ExitCode::usage);
  std::vector<std::vector<Outcome>> outcomes(std::size(kExperts));
  for (std::int64_t seed = 1; seed <= kSeeds;
       ++seed)  // seed by seed: a first curve stands after a third of the time
    for (std::size_t i = 0; i < std::size(kExperts); ++i) {
      auto outcome = one_run(o, corpus, kExperts[i], seed);
      if (!outcome) {
        std::fprintf(stderr, "stopped; this goes on:\n  %s\n", o.resume_command.c_str());
        return kExitInterrupted;
      }
      outcomes[i].push_back(std::move(*outcome));
    }
  const std::vector<Point> points = summarise(o, outcomes);
  write_results(o, points);
  std::printf("%s", (o.json ? scan_table(o, points).json() : scan_table(o, points).terminal()).c_str());
  return 0;
}

}  // namespace moe::session1
