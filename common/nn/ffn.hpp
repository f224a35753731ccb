// The FFN slot of a transformer block: dense or Mixture-of-Experts behind one call.
#pragma once

#include <memory>

#include "common/moe/moe_layer.hpp"
#include "common/nn/config.hpp"

namespace moe {

class Ffn {
 public:
  virtual ~Ffn() = default;
  virtual Value forward(ForwardContext& f, const Value& x) = 0;  // (N, D) → (N, D)
  virtual void visit(const ParameterVisitor& visitor,
                     const std::string& prefix) = 0;  // prefix: "model.layers.0."
  virtual MoeLayer* moe_layer() { return nullptr; }   // null: dense
};

// "mlp.": a SwiGLU of hidden width F, which is a group of one expert. "block_sparse_moe.": a MoeLayer, when experts > 0.
std::unique_ptr<Ffn> make_ffn(Context& ctx, DType dtype, const LanguageModelConfig& config);

}  // namespace moe
