// config.json and the manifest of a checkpoint.
#include "common/io/config_json.hpp"

#include "common/io/hf_names.hpp"
#include "common/io/manifest.hpp"
#include "tests/fuzz/targets.hpp"

namespace moe::fuzz {
namespace {

// The names and shapes that a file of this model must have: every element of ours once.
void check_names(const LanguageModelConfig& config) {
  if (config.layers * std::max<std::int64_t>(1, config.moe.experts) > 64) return;
  for (const PackedParameter& parameter : packed_parameters(config)) {
    std::int64_t size = 1, covered = 0;
    for (const std::int64_t n : parameter.shape) size *= n;
    for (const HfSlice& slice : hf_slices(config, parameter.name)) {
      MOE_CHECK(slice.first == covered, slice.name);
      covered += slice.count;
    }
    MOE_CHECK(covered == size, parameter.name, ": ", covered, " of ", size);
  }
}

bool run_model(std::string_view input) {
  const LanguageModelConfig config = parse_config_json(input, "fuzz");
  const std::string text = to_config_json(config);
  MOE_CHECK(to_config_json(parse_config_json(text, "again")) == text, text);
  check_names(config);
  return true;
}

bool run_manifest(std::string_view input) {
  const std::string text = format_manifest(parse_manifest(input, "fuzz", "remedy"));
  MOE_CHECK(format_manifest(parse_manifest(text, "again", "remedy")) == text, text);
  return true;
}

std::string with_right_sum(std::string_view body) {
  return concat(body, "  \"manifest_crc32\": \"", hex32(crc32_of(body)), "\"\n}\n");
}

Manifest small_manifest() {
  return {7,
          {{"seed", "1"}, {"router", "top_k"}},
          {{"config.json", {20, 0xcbf43926}}, {"model.safetensors", {4096, 1}}}};
}

}  // namespace

bool run_config(std::string_view input) {
  if (input.starts_with('M')) return run_manifest(input.substr(1));
  if (input.starts_with('S')) return run_manifest(with_right_sum(input.substr(1)));
  return run_model(input);
}

std::vector<std::string> config_seeds() {
  LanguageModelConfig moe = demo_model(), dense = moe;
  dense.moe.experts = 0;
  moe.moe.router = "bias_balanced";
  const std::string manifest = format_manifest(small_manifest());
  return {
      to_config_json(moe), to_config_json(dense),
      R"({"model_type":"mixtral","vocab_size":32,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,)"
      R"("num_key_value_heads":1,"intermediate_size":4,"max_position_embeddings":16,"num_local_experts":2,)"
      R"("num_experts_per_tok":1,"rope_parameters":{"rope_type":"default","rope_theta":1e4},"rope_scaling":null,)"
      R"("sliding_window":null,"attention_bias":false,"hidden_act":"silu","torch_dtype":"bfloat16"})",
      "M" + manifest, "S" + manifest.substr(0, manifest.rfind("  \"manifest_crc32\""))};
}

}  // namespace moe::fuzz
