// The whole model against its definition: plain loops in double, no code shared with the library. Finite differences
// cannot see a residual taken from the wrong place; this does.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/moe/oracle.hpp"
#include "tests/nn/support.hpp"
#include "tests/ops/attention_oracle.hpp"

namespace moe::testing {
namespace {

using Doubles = std::vector<double>;

class ModelOracle {
 public:
  ModelOracle(TestModel& test, const Batch& batch) : c_(test.model.config()), batch_(batch) {
    test.model.visit([&](const std::string& name, Parameter& p) { p_[name] = values_of<double>(p.value); });
  }

  Doubles logits() const {
    const Doubles& table = p_.at("model.embed_tokens.weight");
    Doubles x;
    for (const std::int32_t id : values_of<std::int32_t>(batch_.tokens.id))
      x.insert(x.end(), table.begin() + id * c_.width, table.begin() + (id + 1) * c_.width);
    for (std::int64_t l = 0; l < c_.layers; ++l) x = block(x, concat("model.layers.", l, "."));
    const Doubles& head = c_.tied_head ? table : p_.at("lm_head.weight");
    return times(norm(x, "model.norm.weight"), head, c_.width);
  }

 private:
  // x (N, I) · w (O, I)^T
  static Doubles times(const Doubles& x, const Doubles& w, std::int64_t I) {
    Doubles y;
    for (std::size_t n = 0; n < x.size(); n += I)
      for (std::size_t o = 0; o < w.size(); o += I) {
        double sum = 0;
        for (std::int64_t i = 0; i < I; ++i) sum += x[n + i] * w[o + i];
        y.push_back(sum);
      }
    return y;
  }

  static Doubles plus(Doubles a, const Doubles& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }

  Doubles norm(Doubles x, const std::string& weight) const {
    norm_columns(x, c_.width, 0, p_.at(weight));
    return x;
  }

  // Columns from `first` on, as many as w has, of each row of `width`.
  void norm_columns(Doubles& x, std::int64_t width, std::int64_t first, const Doubles& w) const {
    for (std::size_t n = first; n < x.size(); n += width) {
      double squares = 0;
      for (std::size_t d = 0; d < w.size(); ++d) squares += x[n + d] * x[n + d];
      const double rms = std::sqrt(squares / static_cast<double>(w.size()) + c_.norm_epsilon);
      for (std::size_t d = 0; d < w.size(); ++d) x[n + d] *= w[d] / rms;
    }
  }

  Doubles block(const Doubles& x, const std::string& at) const {
    Doubles qkv =
        times(norm(x, at + "input_layernorm.weight"), p_.at(at + "self_attn.qkv_proj.weight"), c_.width);
    if (c_.qk_norm) {
      const std::int64_t q = c_.heads * c_.head_width, row = q + 2 * c_.kv_heads * c_.head_width;
      norm_columns(qkv, row, 0, p_.at(at + "self_attn.q_norm.weight"));
      norm_columns(qkv, row, q, p_.at(at + "self_attn.k_norm.weight"));
    }
    const ops::SelfAttention shape{batch_.tokens.sequences, batch_.tokens.length, c_.heads, c_.kv_heads,
                                   c_.head_width,           c_.rope_theta};
    const Doubles attended = attention_oracle(qkv, values_of<std::int32_t>(batch_.tokens.position), shape);
    const Doubles middle =
        plus(x, times(attended, p_.at(at + "self_attn.o_proj.weight"), c_.heads * c_.head_width));
    return plus(middle, ffn(norm(middle, at + "post_attention_layernorm.weight"), at));
  }

  Doubles ffn(const Doubles& x, const std::string& at) const {
    const bool dense = c_.moe.experts == 0;
    const std::string experts = dense ? at + "mlp." : at + "block_sparse_moe.experts.";
    OracleLayer layer{static_cast<std::int64_t>(x.size()) / c_.width, c_.width, c_.ffn_width,
                      dense ? 1 : c_.moe.experts, dense ? 1 : c_.moe.top_k};
    layer.renormalise = dense || c_.moe.renormalise;
    layer.router =
        dense ? Doubles(static_cast<std::size_t>(c_.width), 0) : p_.at(at + "block_sparse_moe.gate.weight");
    layer.gate_up = p_.at(experts + "gate_up.weight");
    layer.down = p_.at(experts + "down.weight");
    return Oracle::run(layer, x, Doubles(x.size(), 0)).y;
  }

  const LanguageModelConfig& c_;
  const Batch& batch_;
  std::map<std::string, Doubles> p_;
};

TEST(LanguageModel, EqualsItsDefinition) {
  for (const std::int64_t experts : {0, 4})
    for (const bool tied : {false, true}) {
      LanguageModelConfig config = tiny_config(experts);
      config.tied_head = config.qk_norm = tied;
      config.moe.renormalise = !tied;
      config.norm_epsilon = 0.1;  // large enough to be seen
      config.rope_theta = 50;
      TestModel test(config);
      std::uint64_t seed = 0;
      for (Parameter* p : test.parameters())
        if (p->deviation == 0)
          p->value = normal_tensor(test.ctx, p->value.shape(), ++seed);  // norms that are not one
      const Batch batch = batch_of(test.ctx, 2, 7, 11, 3, 2);
      EXPECT_TRUE(close(values_of<double>(test.logits(batch.tokens)), ModelOracle(test, batch).logits(),
                        {1e-12, 1e-11}))
          << experts << " experts";
    }
}

}  // namespace
}  // namespace moe::testing
