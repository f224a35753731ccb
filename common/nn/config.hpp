// The shape of a decoder-only language model. Plain numbers, so that io can read and write them without the model.
#pragma once

#include <cstdint>

#include "common/moe/config.hpp"

namespace moe {

struct LanguageModelConfig {
  std::int64_t vocabulary = 256;  // V
  std::int64_t width = 64;        // D
  std::int64_t layers = 4;        // L
  std::int64_t heads = 2;         // H
  std::int64_t kv_heads = 2;      // G, divides H
  std::int64_t head_width = 32;   // W, even
  std::int64_t ffn_width = 192;   // F of the dense FFN, or of each expert
  std::int64_t context = 128;     // longest sequence, T
  double rope_theta = 10000;
  double norm_epsilon = 1e-5;
  bool tied_head = false;  // the output head is the embedding table
  bool qk_norm = false;    // RMSNorm over all queries and over all keys of a token, before rotation (OLMoE)
  MoeConfig moe;
};

// All parameters; in double, so that it can also judge a configuration that asks for absurdly many.
inline double parameter_count(const LanguageModelConfig& c) {
  const auto D = static_cast<double>(c.width), F = static_cast<double>(c.ffn_width),
             E = static_cast<double>(c.moe.experts);
  const auto W = static_cast<double>(c.head_width), H = static_cast<double>(c.heads),
             G = static_cast<double>(c.kv_heads);
  double ffn = E > 0 ? E * 3 * D * F : 3 * D * F;
  MoeConfig moe = c.moe;
  moe.vocabulary = c.vocabulary;
  if (E > 0)
    for (const RouterParameter& p : router_parameters(moe, c.width)) {
      double count = 1;
      for (const std::int64_t n : p.shape) count *= static_cast<double>(n);
      ffn += count;
    }
  const double norms = 2 * D + (c.qk_norm ? (H + G) * W : 0);
  const double layer = norms + (H + 2 * G) * W * D + H * W * D + ffn;
  const double tables = static_cast<double>(c.vocabulary) * D * (c.tied_head ? 1 : 2);
  return static_cast<double>(c.layers) * layer + tables + D;
}

// The MoE model of session 1's main job: small enough for two minutes on a laptop, large enough to beat its dense twin.
inline LanguageModelConfig demo_model() {
  LanguageModelConfig c;
  c.ffn_width = 96;
  c.moe.experts = 32;
  return c;
}

}  // namespace moe
