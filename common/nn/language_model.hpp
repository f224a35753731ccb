// A decoder-only language model: pre-norm transformer blocks with RoPE, grouped KV heads and an FFN slot that is dense or
// MoE (the architecture of Mixtral, arXiv:2401.04088, and of Llama when experts = 0). Parameters are named as in Hugging
// Face's files, except that q, k, v and the experts' matrices are packed (common/io/hf_names.hpp unpacks them).
#pragma once

#include <vector>

#include "common/nn/ffn.hpp"

namespace moe {

class LanguageModel {
 public:
  LanguageModel(Context& ctx, const LanguageModelConfig& config,
                DType dtype = DType::f32);  // parameters uninitialised
  const LanguageModelConfig& config() const { return config_; }

  // Logits (N, V) for f.tokens (id, position, sequences, length). With caches (one a layer; inference, one sequence), the
  // tokens continue what is cached.
  Value forward(ForwardContext& f, std::vector<ops::KvCache>* caches = nullptr);

  // The same from embeddings (N, D) instead of ids: images and other modalities enter here.
  Value forward_embedded(ForwardContext& f, const Value& embedded,
                         std::vector<ops::KvCache>* caches = nullptr);

  std::vector<ops::KvCache> make_caches(Context& ctx, std::int64_t capacity) const;
  void visit(const ParameterVisitor& visitor);
  MoeLayer* moe_layer(std::size_t layer) { return blocks_.at(layer).ffn->moe_layer(); }  // null: dense

 private:
  struct Block {
    Parameter input_norm, qkv, o, post_attention_norm;
    std::unique_ptr<Ffn> ffn;
  };
  Value run_block(ForwardContext& f, Block& block, const Value& x, ops::KvCache* cache);

  LanguageModelConfig config_;
  DType dtype_;
  Parameter embed_, norm_, head_;  // head_ undefined when tied
  std::vector<Block> blocks_;
};

}  // namespace moe
