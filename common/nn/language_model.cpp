#include "common/nn/language_model.hpp"

#include <cmath>

namespace moe {
namespace {

// Initial deviations: 1/sqrt(fan_in) for projections; the embedding feeds an RMSNorm, so its scale only sets how fast the
// residual stream forgets it; a small head starts at the uniform distribution.
constexpr double kEmbeddingDeviation = 0.5, kHeadDeviation = 0.02;

}  // namespace

LanguageModel::LanguageModel(Context& ctx, const LanguageModelConfig& c, DType dtype)
    : config_(c), dtype_(dtype) {
  config_.moe.vocabulary = c.vocabulary;
  config_.moe = resolved(config_.moe);
  const double in = 1 / std::sqrt(static_cast<double>(c.width));
  const double out =
      1 / std::sqrt(static_cast<double>(c.heads * c.head_width) * 2.0 * static_cast<double>(c.layers));
  embed_ =
      make_parameter(ctx, dtype, {c.vocabulary, c.width}, c.tied_head ? kHeadDeviation : kEmbeddingDeviation);
  for (std::int64_t l = 0; l < c.layers; ++l) {
    Block b;
    b.input_norm = make_parameter(ctx, dtype, {c.width}, 0);
    b.qkv = make_parameter(ctx, dtype, {(c.heads + 2 * c.kv_heads) * c.head_width, c.width}, in);
    if (c.qk_norm) {
      b.q_norm = make_parameter(ctx, dtype, {c.heads * c.head_width}, 0);
      b.k_norm = make_parameter(ctx, dtype, {c.kv_heads * c.head_width}, 0);
    }
    b.o = make_parameter(ctx, dtype, {c.width, c.heads * c.head_width}, out);
    b.post_attention_norm = make_parameter(ctx, dtype, {c.width}, 0);
    b.ffn = make_ffn(ctx, dtype, config_);
    blocks_.push_back(std::move(b));
  }
  norm_ = make_parameter(ctx, dtype, {c.width}, 0);
  if (!c.tied_head) head_ = make_parameter(ctx, dtype, {c.vocabulary, c.width}, kHeadDeviation);
}

Value LanguageModel::forward(ForwardContext& f, std::vector<ops::KvCache>* caches) {
  MOE_CHECK(f.tokens && f.tokens->id.defined(), "a language model needs token ids");
  return forward_embedded(f, ops::embedding(f, f.tokens->id, embed_), caches);
}

Value LanguageModel::forward_embedded(ForwardContext& f, const Value& embedded,
                                      std::vector<ops::KvCache>* caches) {
  MOE_CHECK(f.tokens && embedded.tensor.rows() == f.tokens->sequences * f.tokens->length,
            to_string(embedded.tensor.shape()));
  Value x = embedded;
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    f.layer = static_cast<int>(l);
    x = run_block(f, blocks_[l], x, caches ? &caches->at(l) : nullptr);
  }
  x = ops::rms_norm(f, x, norm_, config_.norm_epsilon);
  return ops::linear(f, x, config_.tied_head ? embed_ : head_);
}

Value LanguageModel::run_block(ForwardContext& f, Block& b, const Value& x, ops::KvCache* cache) {
  const LanguageModelConfig& c = config_;
  const ops::SelfAttention shape{f.tokens->sequences, f.tokens->length, c.heads,
                                 c.kv_heads,          c.head_width,     c.rope_theta};
  Value qkv = ops::linear(f, ops::rms_norm(f, x, b.input_norm, c.norm_epsilon), b.qkv);
  if (c.qk_norm) qkv = ops::qk_norm(f, qkv, b.q_norm, b.k_norm, c.norm_epsilon);
  const Value attended = ops::self_attention(f, qkv, f.tokens->position, shape, cache);
  const Value middle = ops::add(f, x, ops::linear(f, attended, b.o));
  const Value normed = ops::rms_norm(f, middle, b.post_attention_norm, c.norm_epsilon);
  return ops::add(f, middle, b.ffn->forward(f, normed));
}

std::vector<ops::KvCache> LanguageModel::make_caches(Context& ctx, std::int64_t capacity) const {
  std::vector<ops::KvCache> caches(blocks_.size());
  for (ops::KvCache& cache : caches)
    cache.kv = Tensor::empty(ctx, dtype_, {capacity, 2 * config_.kv_heads * config_.head_width});
  return caches;
}

void LanguageModel::visit(const ParameterVisitor& visitor) {
  visitor("model.embed_tokens.weight", embed_);
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    Block& b = blocks_[l];
    const std::string prefix = concat("model.layers.", l, ".");
    visitor(prefix + "input_layernorm.weight", b.input_norm);
    visitor(prefix + "self_attn.qkv_proj.weight", b.qkv);
    if (config_.qk_norm) {
      visitor(prefix + "self_attn.q_norm.weight", b.q_norm);
      visitor(prefix + "self_attn.k_norm.weight", b.k_norm);
    }
    visitor(prefix + "self_attn.o_proj.weight", b.o);
    visitor(prefix + "post_attention_layernorm.weight", b.post_attention_norm);
    b.ffn->visit(visitor, prefix);
  }
  visitor("model.norm.weight", norm_);
  if (!config_.tied_head) visitor("lm_head.weight", head_);
}

}  // namespace moe
