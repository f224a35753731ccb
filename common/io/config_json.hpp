// A model's configuration as JSON: config.json in Hugging Face's layouts (layout.hpp). In our own, which is Mixtral's or
// Llama's, what they have no key for stands under "moe_odyssey".
#pragma once

#include <string>
#include <string_view>

#include "common/io/file.hpp"
#include "common/io/layout.hpp"
#include "common/io/safetensors_header.hpp"
#include "common/nn/config.hpp"
#include "kernels/base/check.hpp"

namespace moe {

// Throws UserError(code) naming key, value and what is allowed: sizes in range, G divides H, W even, K <= E,
// and not more than 2^40 parameters in all, so that no configuration can ask for petabytes. `source` opens
// the message.
void validate_config(const LanguageModelConfig& config, const std::string& source,
                     ExitCode code = ExitCode::bad_file);

// parse_config_json(to_config_json(c), ...) == c, bit for bit. Throws as validate_config.
std::string to_config_json(const LanguageModelConfig& config);

// All that config.json says.
struct ModelJson {
  LanguageModelConfig model;
  Layout layout = Layout::moe;
  Metadata
      carried{};  // JSON text of keys that say nothing to this model and much to the next reader: bos_token_id, ...
  std::string dtype{};  // torch_dtype: "float32", "bfloat16", "float16"; "": not said
};

// Reads our own files and Hugging Face's: model_type "mixtral", "olmoe" or "llama". Optional keys and their values when
// absent, as in transformers (mixtral | olmoe | llama): num_key_value_heads (8 | H | H), rope_theta (1e6 | 1e4 | 1e4),
// rms_norm_eps (1e-5 | 1e-5 | 1e-6), router_aux_loss_coef (0.001 | 0.01 | -), norm_topk_prob (olmoe: false); head_dim
// (D / H), tie_word_embeddings (false), all of "moe_odyssey" (the defaults of the configuration). Keys that would change
// the computation in a way this model does not know (rope scaling, biases, a sliding window, clip_qkv, quantised
// weights, another activation) are refused, other unknown keys are ignored. Throws UserError(bad_file).
ModelJson parse_model_json(std::string_view text, const std::string& source);
LanguageModelConfig parse_config_json(std::string_view text, const std::string& source);  // its `model`

// In the given layout; parse_model_json reads back the same, but in the layouts of others without the fields that only
// training uses and they have no key for. Throws UserError(usage) when the layout cannot hold the model: what, and what it
// can.
std::string to_model_json(const ModelJson& json);
void check_layout(const LanguageModelConfig& config, Layout layout);  // throws the same

ModelJson read_model_json(const std::filesystem::path& path);
LanguageModelConfig read_config(const std::filesystem::path& path);
FileSum write_config(const std::filesystem::path& path, const LanguageModelConfig& config);  // atomically

}  // namespace moe
