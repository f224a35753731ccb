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
constexpr const char* kCarried[] = {"bos_token_id", "eos_token_id", "pad_token_id"};

// What transformers takes for keys that are absent.
struct Defaults {
  const char* model_type;
  std::int64_t kv_heads;  // 0: as many as heads
  double rope_theta, norm_epsilon, balance_coefficient;
};
constexpr Defaults kDefaults[] = {
    {"mixtral", 8, 1e6, 1e-5, 0.001}, {"olmoe", 0, 1e4, 1e-5, 0.01}, {"llama", 0, 1e4, 1e-6, 0.001}};

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

void refuse_partial_rotation(const Fields& f) {
  double fraction = 1;
  if (f.find("partial_rotary_factor")) f.number("partial_rotary_factor", fraction);
  if (fraction != 1) f.refuse("partial_rotary_factor", concat(fraction), "1");
}

// Newer files keep theta in an object of its own.
void read_rope(const Fields& f, LanguageModelConfig& c) {
  f.must_be_unset("rope_scaling");
  refuse_partial_rotation(f);
  if (f.find("rope_theta")) f.number("rope_theta", c.rope_theta);
  const Json* parameters = f.find("rope_parameters");
  if (!parameters) return;
  if (!parameters->is_object()) f.refuse("rope_parameters", f.shown(*parameters), "an object");
  const Fields rope{*parameters, f.source, "rope_parameters."};
  for (const char* key : {"rope_type", "type"}) {
    std::string type = "default";
    if (rope.find(key)) rope.text(key, type);
    if (type != "default") rope.refuse(key, quote(type), "\"default\"");
  }
  refuse_partial_rotation(rope);
  if (rope.find("rope_theta")) rope.number("rope_theta", c.rope_theta);
}

void refuse_foreign_models(const Fields& f) {
  for (const char* key : {"attention_bias", "mlp_bias", "sliding_window", "clip_qkv", "quantization_config"})
    f.must_be_unset(key);
  std::string activation = "silu";
  if (f.find("hidden_act")) f.text("hidden_act", activation);
  if (activation != "silu") f.refuse("hidden_act", quote(activation), "\"silu\"");
}

const Defaults& read_type(const Fields& f) {
  std::string type;
  f.text("model_type", type);
  for (const Defaults& d : kDefaults)
    if (type == d.model_type) return d;
  f.refuse("model_type", quote(type), "\"mixtral\", \"olmoe\" or \"llama\"");
}

void read_shape(const Fields& f, const Defaults& absent, LanguageModelConfig& c) {
  f.integer("vocab_size", c.vocabulary);
  f.integer("hidden_size", c.width);
  f.integer("num_hidden_layers", c.layers);
  f.integer("num_attention_heads", c.heads);
  f.integer("intermediate_size", c.ffn_width);
  f.integer("max_position_embeddings", c.context);
  const bool unsaid = !f.object.contains("num_key_value_heads");  // null says: as many as heads
  c.kv_heads = unsaid && absent.kv_heads > 0 ? absent.kv_heads : c.heads;
  if (f.find("num_key_value_heads")) f.integer("num_key_value_heads", c.kv_heads);
  if (c.heads < 1) f.refuse("num_attention_heads", std::to_string(c.heads), "1 or more");
  c.head_width = c.width / c.heads;
  if (f.find("head_dim")) f.integer("head_dim", c.head_width);
  c.norm_epsilon = absent.norm_epsilon;
  c.rope_theta = absent.rope_theta;
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

void read_ours(const Fields& f, LanguageModelConfig& c) {
  const Json* ours = f.find(kOurs);
  if (!ours) return;
  if (!ours->is_object()) f.refuse(kOurs, f.shown(*ours), "an object");
  const Fields o{*ours, f.source, std::string(kOurs) + "."};
  std::string known = "router qk_norm";
  for (const MoeField& field : kMoeFields)
    if (is_ours(field)) known += concat(" ", field.key);
  for (const auto& [key, value] : ours->items())
    if (!has_word(known, key)) o.refuse(quote(key), "not known", "one of: " + known);
  if (o.find("router")) o.text("router", c.moe.router);
  if (o.find("qk_norm")) o.boolean("qk_norm", c.qk_norm);
  for (const MoeField& field : kMoeFields)
    if (is_ours(field) && o.find(field.key.data())) read_field(o, field.key.data(), field.member, c.moe);
}

nlohmann::ordered_json our_object(const LanguageModelConfig& c) {
  nlohmann::ordered_json ours = {{"router", c.moe.router}, {"qk_norm", c.qk_norm}};
  for (const MoeField& field : kMoeFields)
    if (is_ours(field))
      std::visit([&](auto member) { ours[std::string(field.key)] = c.moe.*member; }, field.member);
  return ours;
}

void read_moe(const Fields& f, const Defaults& absent, MoeConfig& moe) {
  const std::string type = absent.model_type;
  const bool sparse = type != "llama";
  const char* const count = type == "olmoe" ? "num_experts" : "num_local_experts";
  if (sparse || f.find(count)) f.integer(count, moe.experts);
  if ((moe.experts > 0) != sparse)
    f.refuse(count, std::to_string(moe.experts) + " in a model of type " + quote(type),
             sparse ? "1 or more" : "0 or absent in \"llama\"");
  if (sparse || f.find("num_experts_per_tok")) f.integer("num_experts_per_tok", moe.top_k);
  moe.balance_coefficient = absent.balance_coefficient;
  if (f.find("router_aux_loss_coef")) f.number("router_aux_loss_coef", moe.balance_coefficient);
}

// OLMoE's norms are as wide as the model, so its heads must be.
void read_olmoe(const Fields& f, LanguageModelConfig& c) {
  c.qk_norm = true;
  c.moe.renormalise = false;
  if (f.find("norm_topk_prob")) f.boolean("norm_topk_prob", c.moe.renormalise);
  if (c.heads * c.head_width != c.width)
    f.refuse("head_dim", std::to_string(c.head_width),
             "hidden_size / num_attention_heads, exactly, in a model of type \"olmoe\"");
  f.must_be_unset(kOurs);
}

Metadata read_carried(const Fields& f) {
  Metadata carried;
  for (const char* key : kCarried) {
    const Json* value = f.find(key);
    if (!value) continue;
    const bool ids = value->is_array() && std::all_of(value->begin(), value->end(),
                                                      [](const Json& id) { return id.is_number_integer(); });
    if (!ids && !value->is_number_integer())
      f.refuse(key, f.shown(*value), "an integer, or several in an array");
    carried[key] = value->dump();
  }
  return carried;
}

std::string read_dtype(const Fields& f) {
  for (const char* key : {"dtype", "torch_dtype"})  // the newer key first
    if (const Json* value = f.find(key); value && value->is_string()) return value->get<std::string>();
  return "";
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
      {kOurs, our_object(c)}};
  return document.dump(2) + "\n";
}

ModelJson parse_model_json(std::string_view text, const std::string& source) {
  const Json document = parse_document(text, source);
  const Fields fields{document, source, ""};
  const Defaults& absent = read_type(fields);
  ModelJson json;
  LanguageModelConfig& model = json.model;
  read_shape(fields, absent, model);
  read_rope(fields, model);
  refuse_foreign_models(fields);
  read_moe(fields, absent, model.moe);
  json.layout = *layout_of(absent.model_type);
  if (json.layout == Layout::olmoe) read_olmoe(fields, model);
  read_ours(fields, model);
  model.moe.vocabulary = model.vocabulary;
  if (fields.find(kOurs)) json.layout = Layout::moe;
  json.carried = read_carried(fields);
  json.dtype = read_dtype(fields);
  validate_config(model, source);
  return json;
}

LanguageModelConfig parse_config_json(std::string_view text, const std::string& source) {
  return parse_model_json(text, source).model;
}

ModelJson read_model_json(const std::filesystem::path& path) {
  return parse_model_json(read_text_file(path, kMostConfigBytes), path.string());
}

LanguageModelConfig read_config(const std::filesystem::path& path) {
  return read_model_json(path).model;
}

FileSum write_config(const std::filesystem::path& path, const LanguageModelConfig& config) {
  return write_file_atomically(path, to_config_json(config));
}

}  // namespace moe
