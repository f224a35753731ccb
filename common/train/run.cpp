#include "common/train/run.hpp"

#include <cmath>
#include <cstdio>

#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/progress.hpp"
#include "common/io/checkpoint_directory.hpp"
#include "common/report/metrics_log.hpp"
#include "common/report/write_file.hpp"
#include "common/train/exact_text.hpp"

namespace moe {
namespace {

// Those of an earlier run: a resume would prefer its later steps to ours. Renamed first, so that a removal cut short leaves no
// checkpoint with holes.
void remove_checkpoints(const std::filesystem::path& directory) {
  for (const std::filesystem::path& checkpoint : list_checkpoints(directory)) {
    const std::filesystem::path doomed = checkpoint.string() + ".tmp";
    std::error_code error;
    std::filesystem::rename(checkpoint, doomed, error);
    if (!error) std::filesystem::remove_all(doomed, error);
    if (error)
      throw UserError(ExitCode::bad_file,
                      concat(checkpoint.string(), " cannot be removed: ", error.message()),
                      "choose another folder with --out");
  }
}

class Run {
 public:
  Run(Trainer& trainer, const HeldOut& held_out, const RunOptions& options)
      : trainer_(trainer),
        held_out_(held_out),
        options_(options),
        resumed_(resume()),
        log_((options.directory / "metrics.jsonl").string(),
             resumed_ ? std::optional(trainer.steps_done()) : std::nullopt),
        progress_(trainer.settings().steps, {.quiet = options.quiet, .start = trainer.steps_done()}) {}

  RunResult train() {
    while (!trainer_.finished()) {
      one_step();
      const std::int64_t done = trainer_.steps_done();
      if (evaluation_due(done)) evaluate();
      if (interrupted() && !trainer_.finished()) {
        save();
        return {.finished = false, .seconds = seconds_, .evaluation = {}};
      }
      if (trainer_.finished() || done % options_.checkpoint_every == 0) save();
    }
    if (evaluation_.domain_bits.empty())
      evaluation_ = held_out_.evaluate(trainer_.context(), trainer_.model());
    return {.finished = true, .seconds = seconds_, .evaluation = evaluation_};
  }

 private:
  bool resume() {
    make_directory(options_.directory.string());
    if (!options_.resume && !list_checkpoints(options_.directory).empty()) {
      if (!options_.quiet)
        std::fprintf(stderr,
                     "starting anew: the checkpoints in %s go (--resume would have gone on with them)\n",
                     options_.directory.c_str());
      remove_checkpoints(options_.directory);
    }
    if (list_checkpoints(options_.directory).empty()) return false;
    const auto fields = trainer_.load(options_.directory);
    if (const auto it = fields.find("seconds"); it != fields.end()) seconds_ = std::stod(it->second);
    return true;
  }

  void one_step() {
    const std::int64_t next = trainer_.steps_done() + 1;
    const bool report = next % options_.log_every == 0 || next == 1 || next == trainer_.settings().steps;
    const std::optional<StepReport> r = trainer_.step(report);
    seconds_ += trainer_.step_seconds();
    recent_seconds_ += trainer_.step_seconds();
    ++recent_steps_;
    if (r) show(*r);
  }

  void show(const StepReport& r) {
    const TrainSettings& s = trainer_.settings();
    const double rate = static_cast<double>(recent_steps_ * s.sequences * s.length) / recent_seconds_;
    recent_seconds_ = 0;
    recent_steps_ = 0;
    const LoadMetrics load = summarise(r.load);
    const auto extra = [&](const char* name) { return r.extra.contains(name) ? r.extra.at(name) : 0; };
    MetricRecord record = {{"step", r.step},
                           {"seconds", seconds_},
                           {"loss", r.loss},
                           {"aux", extra("aux")},
                           {"z", extra("z")},
                           {"lr", r.learning_rate},
                           {"gnorm", r.gradient_norm},
                           {"dropped", load.dropped},
                           {"load_cv", load.cv},
                           {"max_violation", load.max_violation},
                           {"entropy", load.entropy.value_or(NAN)},
                           {"dead", load.dead},
                           {"tokens_per_second", rate}};
    for (const auto& [name, value] : r.extra)
      if (name != "aux" && name != "z") record.set(name, value);
    for (const auto& [layer, m] : r.load)
      record.set(concat("load_", layer), std::vector<double>(m.load.begin(), m.load.end()));
    log_.write(record);
    std::vector<std::string> fields = {"loss " + format_fixed(r.loss, 3)};
    if (!r.load.empty()) fields.push_back("aux " + format_fixed(extra("aux"), 3));
    fields.push_back("lr " + format_scientific(r.learning_rate));
    fields.push_back("gnorm " + format_fixed(r.gradient_norm, 2));
    if (!r.load.empty()) {
      fields.push_back("drop " + format_percent(load.dropped));
      fields.push_back("load cv " + format_fixed(load.cv, 2));
    }
    fields.push_back(format_count(rate) + " tok/s");
    progress_.update(r.step, fields);
  }

  bool evaluation_due(std::int64_t done) const {
    const std::int64_t total = trainer_.settings().steps;
    return done == total || done * options_.evaluations / total != (done - 1) * options_.evaluations / total;
  }

  void evaluate() {
    evaluation_ = held_out_.evaluate(trainer_.context(), trainer_.model());
    log_.write({{"step", trainer_.steps_done()},
                {"seconds", seconds_},
                {"held_out", evaluation_.bits_per_byte},
                {"held_out_domains", evaluation_.domain_bits}});
  }

  void save() { trainer_.save(options_.directory, {{"seconds", exact_text(seconds_)}}); }

  Trainer& trainer_;
  const HeldOut& held_out_;
  const RunOptions& options_;
  double seconds_ = 0, recent_seconds_ = 0;
  std::int64_t recent_steps_ = 0;
  bool resumed_;
  MetricsLog log_;
  Progress progress_;
  Evaluation evaluation_;
};

}  // namespace

RunResult train_run(Trainer& trainer, const HeldOut& held_out, const RunOptions& options) {
  return Run(trainer, held_out, options).train();
}

}  // namespace moe
