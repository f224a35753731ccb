// The limits of a configuration. Generous for the largest models in public, small enough that no product of
// two sizes leaves 63 bits.
#include <cmath>

#include "common/io/config_json.hpp"
#include "common/io/file.hpp"
#include "common/moe/fields.hpp"

namespace moe {
namespace {

constexpr double kMostParameters = 0x1p40;  // 1.1e12; 4.4 TB as f32

struct Checker {
  const std::string& source;
  ExitCode code;

  template <class Value>
  [[noreturn]] void refuse(const char* key, const Value& value, const std::string& allowed) const {
    throw UserError(code, concat(source, ": ", key, " is ", value), "allowed: " + allowed);
  }
  void in_range(const char* key, std::int64_t value, std::int64_t least, std::int64_t most) const {
    if (value < least || value > most) refuse(key, value, concat(least, " to ", most));
  }
  void in_range(const char* key, double value, double least, double most) const {
    if (!(value >= least && value <= most)) refuse(key, value, concat(least, " to ", most));  // NaN fails
  }
};

void check_field(const Checker& check, const MoeField& field, const MoeConfig& moe) {
  const std::string key =
      field.foreign.empty() ? concat("moe_odyssey.", field.key) : std::string(field.foreign);
  if (auto* number = std::get_if<double MoeConfig::*>(&field.member))
    check.in_range(key.c_str(), moe.**number, field.least, field.most);
  if (auto* integer = std::get_if<std::int64_t MoeConfig::*>(&field.member))
    check.in_range(key.c_str(), moe.**integer, static_cast<std::int64_t>(field.least),
                   static_cast<std::int64_t>(field.most));
  if (auto* text = std::get_if<std::string MoeConfig::*>(&field.member))
    if (!has_word(field.words, moe.**text))
      check.refuse(key.c_str(), quote(moe.**text), concat("one of: ", field.words));
}

void check_moe(const Checker& check, const MoeConfig& moe) {
  check.in_range("num_local_experts", moe.experts, 0, 65536);
  if (moe.experts > 0) {
    check.in_range("num_experts_per_tok", moe.top_k, 1, moe.experts);
    check.in_range("moe_odyssey.groups", moe.groups, 1, moe.experts);
  }
  for (const MoeField& field : kMoeFields) check_field(check, field, moe);
  if (moe.experts % moe.groups != 0)
    check.refuse("moe_odyssey.groups", moe.groups,
                 concat("a divisor of num_local_experts (", moe.experts, ")"));
  check.in_range("moe_odyssey.kept_groups", moe.kept_groups, 1, moe.groups);
  const std::int64_t kept =
      moe.kept_groups * (moe.experts / moe.groups);  // experts that a token may choose from
  if (moe.experts > 0 && moe.router == "bias_balanced" && moe.top_k > kept)
    check.refuse(
        "moe_odyssey.kept_groups", moe.kept_groups,
        concat("enough for ", moe.top_k, " experts a token, of ", moe.experts / moe.groups, " a group"));
  const bool name =
      !moe.router.empty() && moe.router.size() <= 64 &&
      moe.router.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!name) check.refuse("moe_odyssey.router", quote(moe.router), "1 to 64 of a-z, 0-9 and _");
}

}  // namespace

void validate_config(const LanguageModelConfig& c, const std::string& source, ExitCode code) {
  const Checker check{source, code};
  check.in_range("vocab_size", c.vocabulary, 1, 1 << 24);
  check.in_range("hidden_size", c.width, 1, 1 << 17);
  check.in_range("num_hidden_layers", c.layers, 1, 4096);
  check.in_range("num_attention_heads", c.heads, 1, 4096);
  check.in_range("num_key_value_heads", c.kv_heads, 1, c.heads);
  if (c.heads % c.kv_heads != 0)
    check.refuse("num_key_value_heads", c.kv_heads,
                 concat("a divisor of num_attention_heads (", c.heads, ")"));
  check.in_range("head_dim", c.head_width, 2, 4096);
  if (c.head_width % 2 != 0)
    check.refuse("head_dim", c.head_width, "an even number: rotary embedding turns pairs");
  check.in_range("intermediate_size", c.ffn_width, 1, 1 << 20);
  check.in_range("max_position_embeddings", c.context, 1, 1 << 24);
  check.in_range("rope_theta", c.rope_theta, 1, 1e12);
  check.in_range("rms_norm_eps", c.norm_epsilon, 1e-30, 1);
  check_moe(check, c.moe);
  if (parameter_count(c) > kMostParameters)
    check.refuse("the number of parameters", parameter_count(c),
                 concat("at most ", kMostParameters, ": make the model smaller"));
}

}  // namespace moe
