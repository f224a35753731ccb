// Trainer: one model, one corpus, one step at a time.
//
// Everything random follows from (seed, step), so a trainer that is loaded from a checkpoint continues with the bytes it
// would have had.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "common/data/batch.hpp"
#include "common/moe/load_metrics.hpp"
#include "common/nn/language_model.hpp"
#include "common/train/optimizer.hpp"

namespace moe {

struct TrainSettings {
  std::int64_t steps = 600;     // of the whole schedule
  std::int64_t sequences = 16;  // B
  std::int64_t length = 128;    // T
  double learning_rate = 6e-3;  // peak
  double warmup_fraction = 0.05;
  double weight_decay = 0.05;
  double max_norm = 1;     // gradient clipping
  std::uint64_t seed = 1;  // of initial values and of batches
};

// What a step did; read from the device only when asked for.
struct StepReport {
  std::int64_t step = 0;                // steps done
  double loss = 0;                      // of next-token prediction, nats a token
  std::map<std::string, double> extra;  // router losses by name, mean over layers, before their coefficients
  double learning_rate = 0, gradient_norm = 0;
  std::map<int, LoadMetrics> load;  // per MoE layer
};

class Trainer {
 public:
  // The corpus must outlive the trainer. Parameters are initialised from settings.seed.
  Trainer(Context& ctx, const LanguageModelConfig& config, const TrainSettings& settings,
          const Corpus& corpus);

  // Forward, backward, update. With `report`, returns what happened; throws UserError (verdict_failed) when the loss is
  // no longer a number.
  std::optional<StepReport> step(bool report);

  // Of the last step: batch, forward, backward and update, without reading its report.
  double step_seconds() const { return last_seconds_; }

  std::int64_t steps_done() const { return step_; }
  bool finished() const { return step_ >= settings_.steps; }
  LanguageModel& model() { return model_; }
  const TrainSettings& settings() const { return settings_; }
  Context& context() { return ctx_; }

  // Writes RUN/checkpoint-XXXXXXXX: config.json, model.safetensors (Hugging Face's names), optimizer.safetensors, for a BPE
  // tokenizer.json, and in the manifest step, seed, tokenizer, corpus fingerprint and settings. `fields` are kept along (seconds so far, ...). A model whose last
  // step diverged is not saved: UserError as in step().
  void save(const std::filesystem::path& run, const std::map<std::string, std::string>& fields = {});

  // Takes over the state of a checkpoint (or of a run's newest). Refuses, as UserError (bad_file) naming what differs,
  // another tokenizer, another model, other settings or other text. Returns the checkpoint's fields.
  std::map<std::string, std::string> load(const std::filesystem::path& path);

 private:
  std::map<std::string, std::string> identity() const;
  void check_finite() const;  // of the last step; throws as step() does
  Tape::Root root(const Value& loss, double weight);

  Context& ctx_;
  TrainSettings settings_;
  const Corpus& corpus_;
  LanguageModel model_;
  Optimizer optimizer_;
  std::map<double, Tensor> root_gradients_;  // (1), by weight
  std::int64_t step_ = 0;
  Tensor last_loss_;  // (1)
  double last_seconds_ = 0;
};

// A model for generation and analysis: its configuration and values only. From a checkpoint, a run, or a directory in
// Mixtral's, OLMoE's or Llama's layout (common/io/model_directory.hpp).
std::unique_ptr<LanguageModel> load_model(Context& ctx, const std::filesystem::path& path);

}  // namespace moe
