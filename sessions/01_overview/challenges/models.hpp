// Models of the experiments: trained in memory, watched on the way, run again with another configuration.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/train/evaluation.hpp"
#include "common/train/trainer.hpp"
#include "sessions/01_overview/experiment/options.hpp"

namespace moe::session1 {

struct TrainedModel {
  std::unique_ptr<Context> ctx;
  std::unique_ptr<Trainer> trainer;
  LanguageModel& model() { return trainer->model(); }
};

// Called before the first step (with no report) and after each `every`-th and the last.
using Watch = std::function<void(TrainedModel&, const StepReport*)>;

// Trains a model of `config` from o.train, announced as `name` on stderr. Empty: interrupted.
std::optional<TrainedModel> train_model(const std::string& name, const LanguageModelConfig& config,
                                        const LmOptions& o, const Corpus& corpus, std::int64_t every = 0,
                                        const Watch& watch = {});

// Held-out bits per byte, as every stage of this session measures them.
double held_out_bits(Context& ctx, LanguageModel& model, const LmOptions& o, const Corpus& corpus);

// A model of another configuration, such as another K, with the values of `model`. The parameters must be the same.
std::unique_ptr<LanguageModel> with_config(Context& ctx, LanguageModel& model,
                                           const LanguageModelConfig& config);

}  // namespace moe::session1
