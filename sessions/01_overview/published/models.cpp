#include "sessions/01_overview/published/models.hpp"

namespace moe::session1 {
namespace {

// Weights that a part has besides (or, negative, instead of) what our model has there. A matrix costs two FLOPs a weight.
void add_matrix(CostPart& part, std::int64_t weights, std::int64_t active_weights) {
  part.parameters += weights;
  part.active_parameters += active_weights;
  part.flops_per_token += 2.0 * static_cast<double>(active_weights);
}
void add_matrix(CostPart& part, std::int64_t weights) {
  add_matrix(part, weights, weights);
}
void add_vector(CostPart& part, std::int64_t weights) {  // biases, norms, positions: no FLOPs that count
  part.parameters += weights;
  part.active_parameters += weights;
}

LanguageModelConfig shape(std::int64_t V, std::int64_t D, std::int64_t L, std::int64_t H, std::int64_t G,
                          std::int64_t W, std::int64_t F, std::int64_t context) {
  LanguageModelConfig c;
  c.vocabulary = V;
  c.width = D;
  c.layers = L;
  c.heads = H;
  c.kv_heads = G;
  c.head_width = W;
  c.ffn_width = F;
  c.context = context;
  return c;
}
LanguageModelConfig with_experts(LanguageModelConfig c, std::int64_t E, std::int64_t K) {
  c.moe.experts = E;
  c.moe.top_k = K;
  return c;
}

PublishedModel gpt2(std::int64_t context) {
  LanguageModelConfig c = shape(50257, 768, 12, 12, 12, 64, 3072, context);
  c.tied_head = true;
  CostParts p = parts_of(c);
  const std::int64_t L = c.layers, D = c.width, F = c.ffn_width;
  add_matrix(p.ffn, -L * D * F);             // two matrices and GELU, where SwiGLU has three
  add_vector(p.ffn, L * (F + D));            // biases
  add_vector(p.attention, L * (3 * D + D));  // biases
  add_vector(p.norms, D * (2 * L + 1));      // LayerNorm has a bias, too
  add_vector(p.embedding, 1024 * D);         // learned positions
  return {"GPT-2 small",
          p,
          "124M",
          "the released checkpoint; the paper says 117M",
          {"two FFN matrices", "biases", "learned positions"}};
}

PublishedModel llama2(std::int64_t context) {
  return {"Llama 2 7B",
          parts_of(shape(32000, 4096, 32, 32, 32, 128, 11008, context)),
          "6.7B",
          "arXiv:2307.09288",
          {}};
}

PublishedModel mixtral(std::int64_t context) {
  return {"Mixtral 8x7B",
          parts_of(with_experts(shape(32000, 4096, 32, 32, 8, 128, 14336, context), 8, 2)),
          "47B / 13B",
          "arXiv:2401.04088",
          {}};
}

PublishedModel olmoe(std::int64_t context) {
  const LanguageModelConfig c = with_experts(shape(50304, 2048, 16, 16, 16, 128, 1024, context), 64, 8);
  CostParts p = parts_of(c);
  add_vector(p.norms, c.layers * 2 * c.width);  // queries and keys are normalised over all heads at once
  return {"OLMoE", p, "6.9B / 1.3B", "arXiv:2409.02060", {"normalised queries and keys"}};
}

PublishedModel qwen3(std::int64_t context) {
  const LanguageModelConfig c = with_experts(shape(151936, 2048, 48, 32, 4, 128, 768, context), 128, 8);
  CostParts p = parts_of(c);
  add_vector(p.norms, c.layers * 2 * c.head_width);  // of queries and keys, head by head
  return {"Qwen3-30B", p, "30.5B / 3.3B", "arXiv:2505.09388", {"normalised queries and keys"}};
}

// Multi-head latent attention (arXiv:2405.04434): queries and keys/values through narrow matrices; each head has 128 plain
// and 64 rotated query and key features, and 128 value features. Counted as trained: at inference kv_b can be absorbed.
void replace_attention(CostParts& p, const LanguageModelConfig& c) {
  constexpr std::int64_t kQueryRank = 1536, kKvRank = 512, kPlain = 128, kRotated = 64, kValue = 128;
  const std::int64_t D = c.width, H = c.heads;
  p.attention = {p.attention.name, 0, 0, 0};
  add_matrix(p.attention, c.layers * (D * kQueryRank + kQueryRank * H * (kPlain + kRotated)));
  add_matrix(p.attention, c.layers * (D * (kKvRank + kRotated) + kKvRank * H * (kPlain + kValue)));
  add_matrix(p.attention, c.layers * H * kValue * D);
  p.attention.flops_per_token += 2.0 * static_cast<double>(c.layers * H * (kPlain + kRotated + kValue)) *
                                 (static_cast<double>(c.context) + 1) / 2;
  add_vector(p.norms, c.layers * (kQueryRank + kKvRank));
}

PublishedModel deepseek_v3(std::int64_t context) {
  constexpr std::int64_t kDenseLayers = 3, kDenseWidth = 18432;
  const LanguageModelConfig c = with_experts(shape(129280, 7168, 61, 128, 128, 128, 2048, context), 256, 8);
  CostParts p = parts_of(c);
  replace_attention(p, c);
  const std::int64_t expert = 3 * c.width * c.ffn_width, moe_layers = c.layers - kDenseLayers;
  add_matrix(p.ffn, -kDenseLayers * c.moe.experts * expert, -kDenseLayers * c.moe.top_k * expert);
  add_matrix(p.ffn, kDenseLayers * 3 * c.width * kDenseWidth);
  add_matrix(p.ffn, moe_layers * expert);  // one shared expert
  add_matrix(p.router, -kDenseLayers * c.moe.experts * c.width);
  add_vector(p.router, moe_layers * c.moe.experts);  // the balancing bias
  return {"DeepSeek-V3",
          p,
          "671B / 37B",
          "arXiv:2412.19437",
          {"latent attention", "one shared expert",
           "three dense layers; the module that predicts a second token is left out"}};
}

}  // namespace

CostPart sum_of(const CostParts& parts) {
  CostPart sum{"all", 0, 0, 0};
  for (const CostPart* part : parts.all()) {
    sum.parameters += part->parameters;
    sum.active_parameters += part->active_parameters;
    sum.flops_per_token += part->flops_per_token;
  }
  return sum;
}

std::vector<PublishedModel> published_models(std::int64_t context) {
  const LanguageModelConfig demo = demo_model();
  return {gpt2(context),
          llama2(context),
          mixtral(context),
          olmoe(context),
          qwen3(context),
          deepseek_v3(context),
          {"demo, dense", parts_of(dense_twin(demo)), "", "stage 1.7", {}},
          {"demo, MoE", parts_of(demo), "", "stage 1.7", {}}};
}

}  // namespace moe::session1
