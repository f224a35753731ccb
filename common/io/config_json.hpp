// A model's configuration as JSON, in the layout of Hugging Face's Mixtral config.json (model_type
// "mixtral"), or Llama's for a dense model ("llama"). What they have no key for stands under "moe_odyssey".
#pragma once

#include <string>
#include <string_view>

#include "common/io/file.hpp"
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

// Reads our own files and Hugging Face's. Optional keys and their values when absent: num_key_value_heads
// (H), head_dim (D / H), rope_theta (10000), rms_norm_eps (1e-6), tie_word_embeddings (false),
// router_aux_loss_coef (0.001), all of "moe_odyssey" (MoeConfig's). Keys that would change the computation in
// a way this model does not know (rope scaling, biases, a sliding window, another activation) are refused,
// other unknown keys are ignored. Throws UserError(bad_file).
LanguageModelConfig parse_config_json(std::string_view text, const std::string& source);

LanguageModelConfig read_config(const std::filesystem::path& path);
FileSum write_config(const std::filesystem::path& path, const LanguageModelConfig& config);  // atomically

}  // namespace moe
