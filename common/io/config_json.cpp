#include "common/io/config_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/io/atomic_file.hpp"
#include "common/io/file.hpp"
#include "common/moe/fields.hpp"

namespace moe {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMostConfigBytes = 1 << 20;
constexpr const char* kOurs = "moe_odyssey";

// Reads keys of one object; `prefix` is how messages call it ("" or "moe_odyssey.").
struct Fields {
  const Json& object;
  const std::string& source;
  std::string prefix;

  [[noreturn]] void refuse(const std::string& key, const std::string& found,
                           const std::string& allowed) const {
    throw UserError(ExitCode::bad_file, source + ": " + prefix + key + " is " + found, "allowed: " + allowed);
  }
  // Null counts as absent: that is how Hugging Face writes "unset".
  const Json* find(const char* key) const {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
  }
  // Containers are only named: they may be nested deep enough to exhaust the stack of a recursive dump.
  std::string shown(const Json& value) const {
    if (value.is_structured()) return value.is_array() ? "an array" : "an object";
    return value.is_string() ? quote(value.get_ref<const std::string&>()) : value.dump();
  }
  const Json& require(const char* key, const char* allowed) const {
    const Json* value = find(key);
    if (!value) refuse(key, "absent", allowed);
    return *value;
  }
  void integer(const char* key, std::int64_t& into) const {
    const Json& value = require(key, "an integer");
    const bool fits =
        value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
    if (!fits) refuse(key, shown(value), "an integer");
    into = value.get<std::int64_t>();
  }
  void number(const char* key, double& into) const {
    const Json& value = require(key, "a number");
    if (!value.is_number()) refuse(key, shown(value), "a number");
    into = value.get<double>();
  }
  void boolean(const char* key, bool& into) const {
    const Json& value = require(key, "true or false");
    if (!value.is_boolean()) refuse(key, shown(value), "true or false");
    into = value.get<bool>();
  }
  void text(const char* key, std::string& into) const {
    const Json& value = require(key, "a string");
    if (!value.is_string()) refuse(key, shown(value), "a string");
    into = value.get<std::string>();
  }
  void must_be_unset(const char* key) const {
    const Json* value = find(key);
    if (value && *value != false) refuse(key, shown(*value), "null or false: this model has nothing like it");
  }
};

Json parse_document(std::string_view text, const std::string& source) {
  // The lexer takes a zero byte for the end of the text.
  const bool zero = text.find('\0') != text.npos;
  Json document = Json::parse(text.begin(), text.end(), nullptr, false);
  if (zero || !document.is_object())
    throw UserError(ExitCode::bad_file, source + ": is no JSON object", "give the config.json of a model");
  return document;
}

// Newer files keep theta in an object of its own.
void read_rope(const Fields& f, LanguageModelConfig& c) {
  f.must_be_unset("rope_scaling");
  if (f.find("rope_theta")) f.number("rope_theta", c.rope_theta);
  const Json* parameters = f.find("rope_parameters");
  if (!parameters) return;
  if (!parameters->is_object()) f.refuse("rope_parameters", f.shown(*parameters), "an object");
  const Fields rope{*parameters, f.source, "rope_parameters."};
  std::string type = "default";
  if (rope.find("rope_type")) rope.text("rope_type", type);
  if (type != "default") rope.refuse("rope_type", quote(type), "\"default\"");
  if (rope.find("rope_theta")) rope.number("rope_theta", c.rope_theta);
}

void refuse_foreign_models(const Fields& f) {
  for (const char* key : {"attention_bias", "mlp_bias", "sliding_window"}) f.must_be_unset(key);
  std::string activation = "silu";
  if (f.find("hidden_act")) f.text("hidden_act", activation);
  if (activation != "silu") f.refuse("hidden_act", quote(activation), "\"silu\"");
}

void read_shape(const Fields& f, LanguageModelConfig& c) {
  f.integer("vocab_size", c.vocabulary);
  f.integer("hidden_size", c.width);
  f.integer("num_hidden_layers", c.layers);
  f.integer("num_attention_heads", c.heads);
  f.integer("intermediate_size", c.ffn_width);
  f.integer("max_position_embeddings", c.context);
  c.kv_heads = c.heads;
  if (f.find("num_key_value_heads")) f.integer("num_key_value_heads", c.kv_heads);
  if (c.heads < 1) f.refuse("num_attention_heads", std::to_string(c.heads), "1 or more");
  c.head_width = c.width / c.heads;
  if (f.find("head_dim")) f.integer("head_dim", c.head_width);
  c.norm_epsilon = 1e-6;
  if (f.find("rms_norm_eps")) f.number("rms_norm_eps", c.norm_epsilon);
  if (f.find("tie_word_embeddings")) f.boolean("tie_word_embeddings", c.tied_head);
}

// Fields under "moe_odyssey": those for which Hugging Face has no key of its own, and the router's name.
bool is_ours(const MoeField& field) {
  return field.foreign.empty();
}

void read_field(const Fields& f, const char* key, const MoeMember& member, MoeConfig& moe) {
  if (auto* number = std::get_if<double MoeConfig::*>(&member)) f.number(key, moe.**number);
  if (auto* integer = std::get_if<std::int64_t MoeConfig::*>(&member)) f.integer(key, moe.**integer);
  if (auto* boolean = std::get_if<bool MoeConfig::*>(&member)) f.boolean(key, moe.**boolean);
  if (auto* text = std::get_if<std::string MoeConfig::*>(&member)) f.text(key, moe.**text);
}

void read_ours(const Fields& f, MoeConfig& moe) {
  const Json* ours = f.find(kOurs);
  if (!ours) return;
  if (!ours->is_object()) f.refuse(kOurs, f.shown(*ours), "an object");
  const Fields o{*ours, f.source, std::string(kOurs) + "."};
  std::string known = "router";
  for (const MoeField& field : kMoeFields)
    if (is_ours(field)) known += concat(" ", field.key);
  for (const auto& [key, value] : ours->items())
    if (!has_word(known, key)) o.refuse(quote(key), "not known", "one of: " + known);
  if (o.find("router")) o.text("router", moe.router);
  for (const MoeField& field : kMoeFields)
    if (is_ours(field) && o.find(field.key.data())) read_field(o, field.key.data(), field.member, moe);
}

nlohmann::ordered_json our_object(const MoeConfig& moe) {
  nlohmann::ordered_json ours = {{"router", moe.router}};
  for (const MoeField& field : kMoeFields)
    if (is_ours(field))
      std::visit([&](auto member) { ours[std::string(field.key)] = moe.*member; }, field.member);
  return ours;
}

void read_moe(const Fields& f, MoeConfig& moe) {
  std::string type;
  f.text("model_type", type);
  if (type != "mixtral" && type != "llama") f.refuse("model_type", quote(type), "\"mixtral\" or \"llama\"");
  if (type == "mixtral" || f.find("num_local_experts")) f.integer("num_local_experts", moe.experts);
  if ((moe.experts > 0) != (type == "mixtral"))
    f.refuse("num_local_experts", std::to_string(moe.experts) + " in a model of type " + quote(type),
             "1 or more in \"mixtral\", 0 or absent in \"llama\"");
  if (type == "mixtral" || f.find("num_experts_per_tok")) f.integer("num_experts_per_tok", moe.top_k);
  moe.balance_coefficient = 0.001;
  if (f.find("router_aux_loss_coef")) f.number("router_aux_loss_coef", moe.balance_coefficient);
  read_ours(f, moe);
}

}  // namespace

std::string to_config_json(const LanguageModelConfig& c) {
  validate_config(c, "this configuration");
  const bool sparse = c.moe.experts > 0;
  const nlohmann::ordered_json document = {
      {"architectures", {sparse ? "MixtralForCausalLM" : "LlamaForCausalLM"}},
      {"model_type", sparse ? "mixtral" : "llama"},
      {"vocab_size", c.vocabulary},
      {"hidden_size", c.width},
      {"intermediate_size", c.ffn_width},
      {"num_hidden_layers", c.layers},
      {"num_attention_heads", c.heads},
      {"num_key_value_heads", c.kv_heads},
      {"head_dim", c.head_width},
      {"max_position_embeddings", c.context},
      {"hidden_act", "silu"},
      {"rope_theta", c.rope_theta},
      {"rms_norm_eps", c.norm_epsilon},
      {"tie_word_embeddings", c.tied_head},
      {"num_local_experts", c.moe.experts},
      {"num_experts_per_tok", c.moe.top_k},
      {"router_aux_loss_coef", c.moe.balance_coefficient},
      {kOurs, our_object(c.moe)}};
  return document.dump(2) + "\n";
}

LanguageModelConfig parse_config_json(std::string_view text, const std::string& source) {
  const Json document = parse_document(text, source);
  const Fields fields{document, source, ""};
  LanguageModelConfig config;
  read_shape(fields, config);
  read_rope(fields, config);
  refuse_foreign_models(fields);
  read_moe(fields, config.moe);
  config.moe.vocabulary = config.vocabulary;
  validate_config(config, source);
  return config;
}

LanguageModelConfig read_config(const std::filesystem::path& path) {
  return parse_config_json(read_text_file(path, kMostConfigBytes), path.string());
}

FileSum write_config(const std::filesystem::path& path, const LanguageModelConfig& config) {
  return write_file_atomically(path, to_config_json(config));
}

}  // namespace moe
