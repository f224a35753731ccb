// config.json in the layouts of others.
#include <nlohmann/json.hpp>

#include "common/io/config_json.hpp"

namespace moe {
namespace {

using Json = nlohmann::ordered_json;

struct LayoutCheck {
  Layout layout;

  void require(bool holds, const std::string& what, const std::string& allowed) const {
    if (!holds)
      throw UserError(ExitCode::usage, concat("layout ", name_of(layout), ": ", what),
                      concat("it can say: ", allowed, "; layout moe holds every model"));
  }
};

const char* architecture(Layout layout) {
  switch (layout) {
    case Layout::olmoe:
      return "OlmoeForCausalLM";
    case Layout::llama:
      return "LlamaForCausalLM";
    default:
      return "MixtralForCausalLM";
  }
}

// What all three call the same. Token ids are written as null where there are none, since a reader would put those of its
// own default vocabulary in their place.
Json common_part(const ModelJson& json) {
  const LanguageModelConfig& c = json.model;
  Json document = {{"architectures", {architecture(json.layout)}},
                   {"model_type", name_of(json.layout)},
                   {"vocab_size", c.vocabulary},
                   {"hidden_size", c.width},
                   {"intermediate_size", c.ffn_width},
                   {"num_hidden_layers", c.layers},
                   {"num_attention_heads", c.heads},
                   {"num_key_value_heads", c.kv_heads},
                   {"max_position_embeddings", c.context},
                   {"hidden_act", "silu"},
                   {"rope_theta", c.rope_theta},
                   {"rms_norm_eps", c.norm_epsilon},
                   {"tie_word_embeddings", c.tied_head},
                   {"bos_token_id", nullptr},
                   {"eos_token_id", nullptr},
                   {"pad_token_id", nullptr}};
  if (!json.dtype.empty()) document["torch_dtype"] = json.dtype;
  return document;
}

}  // namespace

void check_layout(const LanguageModelConfig& c, Layout layout) {
  if (layout == Layout::moe) return;
  const LayoutCheck check{layout};
  const bool sparse = layout != Layout::llama, normed = layout == Layout::olmoe;
  check.require((c.moe.experts > 0) == sparse, concat("the model has ", c.moe.experts, " experts"),
                sparse ? "1 or more" : "0");
  check.require(c.qk_norm == normed,
                concat("the model normalises ", c.qk_norm ? "" : "no ", "queries and keys (qk_norm)"),
                normed ? "norms of both" : "no such norms");
  if (normed)
    check.require(c.heads * c.head_width == c.width, concat("head_dim is ", c.head_width),
                  concat("hidden_size / num_attention_heads (", c.width, " / ", c.heads, ")"));
  if (!sparse) return;
  check.require(c.moe.router == "top_k", "the router is " + quote(c.moe.router), "\"top_k\"");
  check.require(!(c.moe.capacity_factor > 0), concat("capacity_factor is ", c.moe.capacity_factor),
                "0, experts that take every token");
  if (layout == Layout::mixtral)
    check.require(c.moe.renormalise, "renormalise is false", "weights of the chosen that sum to 1");
}

std::string to_model_json(const ModelJson& json) {
  const LanguageModelConfig& c = json.model;
  check_layout(c, json.layout);
  const std::string ours = to_config_json(c);  // validates
  Json document = json.layout == Layout::moe ? Json::parse(ours) : common_part(json);
  if (json.layout == Layout::llama || json.layout == Layout::mixtral) document["head_dim"] = c.head_width;
  if (json.layout == Layout::mixtral) document["num_local_experts"] = c.moe.experts;
  if (json.layout == Layout::olmoe) {
    document["num_experts"] = c.moe.experts;
    document["norm_topk_prob"] = c.moe.renormalise;
  }
  if (json.layout == Layout::mixtral || json.layout == Layout::olmoe) {
    document["num_experts_per_tok"] = c.moe.top_k;
    document["router_aux_loss_coef"] = c.moe.balance_coefficient;
  }
  for (const auto& [key, text] : json.carried) document[key] = Json::parse(text);
  return document.dump(2) + "\n";
}

}  // namespace moe
