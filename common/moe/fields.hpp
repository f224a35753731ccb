// The fields of MoeConfig that somebody may set, as one table: config.json, its limits, the demo's flags and the routers'
// `uses` all come from here. A new field is a member of MoeConfig and a row.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <variant>

#include "common/moe/config.hpp"

namespace moe {

using MoeMember =
    std::variant<bool MoeConfig::*, std::int64_t MoeConfig::*, double MoeConfig::*, std::string MoeConfig::*>;

struct MoeField {
  std::string_view key;  // in config.json under "moe_odyssey", unless `foreign`; and in RouterRow::uses
  const char* flag;      // null: none
  MoeMember member;
  double least, most;  // of a number
  const char* help;
  std::string_view foreign = {};  // Hugging Face's own key, which stands outside of "moe_odyssey"
  std::string_view words = {};    // what a text may be, separated by blanks
};

inline constexpr MoeField kMoeFields[] = {
    {"top_k", "--top-k", &MoeConfig::top_k, 1, 65536, "experts a token visits, K (switch: 1, gshard: 2)",
     "num_experts_per_tok"},
    {"renormalise", nullptr, &MoeConfig::renormalise, 0, 1, "weights of the chosen sum to 1"},
    {"balance_coefficient", "--aux", &MoeConfig::balance_coefficient, 0, 1e6,
     "coefficient of the load-balancing loss", "router_aux_loss_coef"},
    {"balance", "--balance", &MoeConfig::balance, 0, 0,
     "what the load-balancing loss evens out: the batch, each sequence, or all micro-batches of a step", "",
     "batch sequence global"},
    {"z_coefficient", "--z-loss", &MoeConfig::z_coefficient, 0, 1e6, "coefficient of the router z-loss"},
    {"entropy_coefficient", "--entropy", &MoeConfig::entropy_coefficient, 0, 1e6,
     "coefficient of the penalty on undecided routing"},
    {"capacity_factor", "--capacity", &MoeConfig::capacity_factor, 0, 1e6,
     "capacity factor; 0: no token is dropped (switch: 1.25, gshard and expert_choice: 1)"},
    {"groups", "--groups", &MoeConfig::groups, 1, 65536, "equal groups of experts"},
    {"kept_groups", "--kept-groups", &MoeConfig::kept_groups, 1, 65536,
     "groups that a token's experts may come from"},
    {"bias_rate", "--bias-rate", &MoeConfig::bias_rate, 0, 1e6, "how far an expert's bias moves in a step"},
    {"gate_scale", "--gate-scale", &MoeConfig::gate_scale, 0, 1e6, "a token's weights sum to this"},
    {"threshold", "--threshold", &MoeConfig::threshold, 0, 1,
     "a token takes experts until their probabilities reach this, at most K"},
    {"null_experts", "--null-experts", &MoeConfig::null_experts, 0, 65536,
     "experts that do nothing, among which a token may choose; 0: as many as experts"},
    {"score_width", "--score-width", &MoeConfig::score_width, 0, 65536,
     "width in which tokens and experts are compared; 0: half the experts"},
    {"sparsity_factor", "--sparsity-factor", &MoeConfig::sparsity_factor, 1, 1e3,
     "by which the pressure towards K experts a token grows or falls in a step"},
    {"k_growth_steps", "--k-growth", &MoeConfig::k_growth_steps, 0, 4e9,
     "training steps in which K grows from 1 to --top-k; 0: K from the start"},
    {"slots", "--slots", &MoeConfig::slots, 1, 65536,
     "mixtures of a sequence's tokens that each expert works on; as costly as top-k where it is "
     "length·K/experts"},
    {"router_bits", "--router-bits", &MoeConfig::router_bits, 0, 52,
     "bits of mantissa that the router computes with: 7 as bf16; 0: all"},
};

inline const MoeField* find_field(std::string_view key) {
  const auto* const end = std::end(kMoeFields);
  const auto* const at =
      std::find_if(std::begin(kMoeFields), end, [&](const MoeField& f) { return f.key == key; });
  return at == end ? nullptr : at;
}

// Whether `word` stands in `words`, which blanks separate.
inline bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace moe
