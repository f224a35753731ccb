// Saving and loading a trainer.
#include "common/io/checkpoint_directory.hpp"
#include "common/io/config_json.hpp"
#include "common/io/hf_names.hpp"
#include "common/io/tokenizer_json.hpp"
#include "common/train/exact_text.hpp"
#include "common/train/trainer.hpp"

namespace moe {
namespace {

std::vector<NamedTensor> parameters_of(LanguageModel& model) {
  std::vector<NamedTensor> tensors;
  model.visit([&](const std::string& name, Parameter& p) { tensors.push_back({name, p.value}); });
  return tensors;
}

std::vector<NamedTensor> moments_of(Optimizer& optimizer) {
  std::vector<NamedTensor> tensors;
  for (const Optimizer::Item& item : optimizer.items()) {
    tensors.push_back({item.name + ".m", item.m});
    tensors.push_back({item.name + ".v", item.v});
  }
  return tensors;
}

constexpr const char* kTokenizerFile = "tokenizer.json";

// Bytes need no file.
void save_tokenizer(CheckpointWriter& writer, const Tokenizer& tokenizer) {
  writer.fields["tokenizer"] = tokenizer.name();
  if (const auto* bpe = dynamic_cast<const BpeTokenizer*>(&tokenizer))
    writer.written(kTokenizerFile, write_tokenizer_json(writer.file(kTokenizerFile), bpe->model()));
}

// Before the configuration is compared, which differs too when V does, and says less.
void check_tokenizer(const Checkpoint& checkpoint, const Tokenizer& ours) {
  const auto it = checkpoint.manifest.fields.find("tokenizer");
  const std::string theirs = it == checkpoint.manifest.fields.end() ? "byte" : it->second;  // as it once was
  if (theirs != ours.name())
    throw UserError(
        ExitCode::bad_file,
        concat(checkpoint.directory.string(), ": was trained with tokenizer ", quote(theirs), ", now it is ",
               quote(ours.name())),
        "resume with the --tokenizer and the texts of the first start, or start anew in another --out");
}

std::int64_t step_of(const Checkpoint& checkpoint) {
  const auto it = checkpoint.manifest.fields.find("step");
  if (it == checkpoint.manifest.fields.end())
    throw UserError(ExitCode::bad_file, concat(checkpoint.directory.string(), ": the manifest has no step"),
                    "this is not a training checkpoint");
  return std::stoll(it->second);
}

}  // namespace

// What must be the same for a resumed run to give the bytes of an uninterrupted one.
std::map<std::string, std::string> Trainer::identity() const {
  const auto text = [](auto value) { return exact_text(value); };
  return {{"seed", text(settings_.seed)},
          {"steps", text(settings_.steps)},
          {"sequences", text(settings_.sequences)},
          {"length", text(settings_.length)},
          {"learning_rate", text(settings_.learning_rate)},
          {"warmup_fraction", text(settings_.warmup_fraction)},
          {"weight_decay", text(settings_.weight_decay)},
          {"max_norm", text(settings_.max_norm)},
          {"corpus", text(fingerprint(corpus_))}};
}

void Trainer::save(const std::filesystem::path& run, const std::map<std::string, std::string>& fields) {
  check_finite();
  CheckpointWriter writer(run, step_);
  writer.written("config.json", write_config(writer.file("config.json"), model_.config()));
  writer.written("model.safetensors",
                 write_model(writer.file("model.safetensors"), model_.config(), parameters_of(model_)));
  writer.written("optimizer.safetensors",
                 write_tensors(writer.file("optimizer.safetensors"), moments_of(optimizer_)));
  save_tokenizer(writer, *corpus_.tokenizer);
  for (const auto& [key, value] : fields) writer.fields[key] = value;
  for (const auto& [key, value] : identity()) writer.fields[key] = value;
  writer.fields["step"] = concat(step_);
  writer.commit();
}

std::map<std::string, std::string> Trainer::load(const std::filesystem::path& path) {
  const Checkpoint checkpoint = open_checkpoint(path);
  const std::string where = checkpoint.directory.string();
  check_tokenizer(checkpoint, *corpus_.tokenizer);
  if (to_config_json(read_config(checkpoint.file("config.json"))) != to_config_json(model_.config()))
    throw UserError(ExitCode::bad_file, where + ": holds a model of another configuration (config.json)",
                    "resume with the flags of the first start, or start anew in another --out");
  for (const auto& [key, ours] : identity()) {
    const auto it = checkpoint.manifest.fields.find(key);
    const std::string theirs = it == checkpoint.manifest.fields.end() ? "nothing" : it->second;
    if (theirs != ours)
      throw UserError(ExitCode::bad_file,
                      concat(where, ": was trained with ", key, " ", theirs, ", now it is ", ours),
                      "resume with the flags and texts of the first start, or start anew in another --out");
  }
  read_model(checkpoint.file("model.safetensors"), model_.config(), parameters_of(model_));
  read_tensors(checkpoint.file("optimizer.safetensors"), moments_of(optimizer_));
  step_ = step_of(checkpoint);
  return {checkpoint.manifest.fields.begin(), checkpoint.manifest.fields.end()};
}

std::unique_ptr<LanguageModel> load_model(Context& ctx, const std::filesystem::path& path) {
  const Checkpoint checkpoint = open_checkpoint(path);
  auto model = std::make_unique<LanguageModel>(ctx, read_config(checkpoint.file("config.json")));
  read_model(checkpoint.file("model.safetensors"), model->config(), parameters_of(*model));
  return model;
}

}  // namespace moe
