#include "common/train/trainer.hpp"

#include <chrono>
#include <cmath>

#include "common/train/batch_tensors.hpp"
#include "common/train/token_frequencies.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe {
namespace {

AdamWSettings adamw_settings(const TrainSettings& s) {
  return {.learning_rate = 0, .weight_decay = s.weight_decay, .max_norm = s.max_norm};
}

std::map<std::string, double> mean_by_name(const LossSink& sink) {
  std::map<std::string, double> sum, count;
  for (const LossSink::Item& item : sink.items) {
    sum[item.name] += scalar_of(item.loss.tensor);
    count[item.name] += 1;
  }
  for (auto& [name, value] : sum) value /= count[name];
  return sum;
}

// Tables made of the text, before the first step; a checkpoint brings its own.
void show_frequencies(LanguageModel& model, const Corpus& corpus) {
  std::vector<std::int64_t> frequency;  // counted when somebody asks
  model.visit([&](const std::string&, Parameter& p) {
    if (!p.on_frequencies) return;
    if (frequency.empty()) frequency = token_frequencies(corpus, model.config().vocabulary);
    p.on_frequencies(frequency);
  });
}

}  // namespace

Trainer::Trainer(Context& ctx, const LanguageModelConfig& config, const TrainSettings& settings,
                 const Corpus& corpus)
    : ctx_(ctx),
      settings_(settings),
      corpus_(corpus),
      model_(ctx, config),
      optimizer_(ctx, adamw_settings(settings), [&](const ParameterVisitor& v) { model_.visit(v); }) {
  initialise(ctx, settings.seed, [&](const ParameterVisitor& v) { model_.visit(v); });
  show_frequencies(model_, corpus);
}

// The gradient of a loss is its weight, the same in every step.
Tape::Root Trainer::root(const Value& loss, double weight) {
  Tensor& gradient = root_gradients_[weight];
  if (!gradient.defined()) {
    gradient = Tensor::empty(ctx_, loss.tensor.dtype(), {1});
    dispatch(gradient.dtype(), [&]<class T>(T) { fill<T>(ctx_, gradient.data<T>(), weight, 1); });
  }
  return {loss, weight, gradient};
}

std::optional<StepReport> Trainer::step(bool report) {
  const auto start = std::chrono::steady_clock::now();
  const auto number = static_cast<std::uint32_t>(step_);
  const BatchTensors batch =
      to_device(ctx_, make_batch(corpus_, settings_.seed, number, settings_.sequences, settings_.length));
  Tape tape(ctx_);
  LossSink losses;
  MetricSink metrics;
  ForwardContext f{.ctx = ctx_,
                   .tape = &tape,
                   .seed = settings_.seed,
                   .step = number,
                   .training = true,
                   .tokens = &batch.tokens,
                   .losses = &losses,
                   .metrics = report ? &metrics : nullptr};
  const Value loss = ops::cross_entropy(f, model_.forward(f), batch.target);
  std::vector<Tape::Root> roots = {root(loss, 1)};
  for (const LossSink::Item& item : losses.items) roots.push_back(root(item.loss, item.coefficient));
  tape.backward(roots);

  const auto warmup =
      static_cast<std::int64_t>(std::ceil(settings_.warmup_fraction * static_cast<double>(settings_.steps)));
  const double rate = warmup_cosine(step_, settings_.steps, warmup, settings_.learning_rate);
  optimizer_.step(++step_, rate);
  last_loss_ = loss.tensor;
  synchronize(ctx_);
  last_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!report) return std::nullopt;

  check_finite();
  StepReport r{.step = step_,
               .loss = scalar_of(loss.tensor),
               .extra = mean_by_name(losses),
               .learning_rate = rate,
               .gradient_norm = optimizer_.gradient_norm(),
               .load = load_metrics_by_layer(metrics)};
  return r;
}

void Trainer::check_finite() const {
  if (!last_loss_.defined()) return;
  const double loss = scalar_of(last_loss_), norm = optimizer_.gradient_norm();
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  throw UserError(
      ExitCode::verdict_failed,
      concat("training diverged: at step ", step_, " the loss is ", loss, " and the gradient norm ", norm),
      "lower the learning rate, or resume from the last checkpoint with another seed");
}

}  // namespace moe
