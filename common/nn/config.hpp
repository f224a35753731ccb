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
  MoeConfig moe;
};

}  // namespace moe
