// Tiny language models and batches.
#pragma once

#include <map>
#include <string>

#include "common/nn/language_model.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {

// V 11, D 6, two blocks, grouped KV heads whose width together is not D, four experts of which two.
inline LanguageModelConfig tiny_config(std::int64_t experts = 4) {
  LanguageModelConfig c;
  c.vocabulary = 11;
  c.width = 6;
  c.layers = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_width = 4;
  c.ffn_width = 5;
  c.context = 8;
  c.moe.experts = experts;
  c.moe.top_k = 2;
  return c;
}

struct Batch {
  TokenInfo tokens;
  Tensor target;  // (N)
};

inline Batch batch_of(Context& ctx, std::int64_t B, std::int64_t T, std::int64_t V, std::uint64_t seed = 1,
                      int first_position = 0) {
  std::vector<std::int32_t> id, position, sequence, target;
  for (std::int64_t n = 0; n < B * T; ++n) {
    const auto r = philox({.seed = seed}, static_cast<std::uint64_t>(n));
    id.push_back(static_cast<std::int32_t>(r[0] % static_cast<std::uint32_t>(V)));
    target.push_back(static_cast<std::int32_t>(r[1] % static_cast<std::uint32_t>(V)));
    position.push_back(first_position + static_cast<std::int32_t>(n % T));
    sequence.push_back(static_cast<std::int32_t>(n / T));
  }
  const auto tensor = [&](const std::vector<std::int32_t>& v) {
    return tensor_of<std::int32_t>(ctx, v, {B * T});
  };
  Batch b;
  b.tokens.sequences = B;
  b.tokens.length = T;
  b.tokens.id = tensor(id);
  b.tokens.position = tensor(position);
  b.tokens.sequence = tensor(sequence);
  b.target = tensor(target);
  return b;
}

// Parameters initialised; routers scaled up, so that no choice hangs on a rounding error.
struct TestModel {
  Context ctx;
  LanguageModel model;

  explicit TestModel(const LanguageModelConfig& config, DType dtype = DType::f64, int threads = 2,
                     std::uint64_t seed = 7)
      : ctx(threads), model(ctx, config, dtype) {
    initialise(ctx, seed, [&](const ParameterVisitor& visitor) { model.visit(visitor); });
    model.visit([&](const std::string& name, Parameter& p) {
      const double factor = name.ends_with("gate.weight")                                       ? 50
                            : name.ends_with("embed_tokens.weight") || name == "lm_head.weight" ? 4
                                                                                                : 1;
      dispatch(dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < p.value.numel(); ++i) p.value.data<T>()[i] *= static_cast<T>(factor);
      });
    });
  }

  std::vector<Parameter*> parameters() {
    std::vector<Parameter*> all;
    model.visit([&](const std::string&, Parameter& p) { all.push_back(&p); });
    return all;
  }

  Tensor logits(const TokenInfo& tokens, std::vector<ops::KvCache>* caches = nullptr) {
    ForwardContext f{.ctx = ctx, .tokens = &tokens};
    return model.forward(f, caches).tensor;
  }
};

}  // namespace moe::testing
