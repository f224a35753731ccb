#include "common/nn/ffn.hpp"

#include <cmath>

namespace moe {
namespace {

// Projections that write to the residual stream start smaller, since 2·layers of them add up (GPT-2).
double residual_scale(const LanguageModelConfig& c) {
  return 1 / std::sqrt(2.0 * static_cast<double>(c.layers));
}

class DenseFfn final : public Ffn {
 public:
  DenseFfn(Context& ctx, DType dtype, const LanguageModelConfig& c)
      : expert_(ctx, dtype, 1, c.width, c.ffn_width, residual_scale(c), ParameterGroup::dense) {}

  Value forward(ForwardContext& f, const Value& x) override {
    const auto rows = static_cast<std::int32_t>(x.tensor.rows());
    if (rows != rows_) one_group_ = tensor_of<std::int32_t>(f.ctx, {0, rows_ = rows}, {2});
    return expert_.forward(f, x, one_group_);
  }
  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    expert_.visit(visitor, prefix + "mlp.");
  }

 private:
  LocalExperts expert_;
  Tensor one_group_;  // offset of rows_ rows: kept, so that training uploads nothing but the batch
  std::int32_t rows_ = -1;
};

class MoeFfn final : public Ffn {
 public:
  MoeFfn(Context& ctx, DType dtype, const LanguageModelConfig& c)
      : layer_(ctx, dtype, c.moe, c.width, c.ffn_width, residual_scale(c)) {}

  Value forward(ForwardContext& f, const Value& x) override { return layer_.forward(f, x); }
  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    layer_.visit(visitor, prefix + "block_sparse_moe.");
  }
  MoeLayer* moe_layer() override { return &layer_; }

 private:
  MoeLayer layer_;
};

}  // namespace

std::unique_ptr<Ffn> make_ffn(Context& ctx, DType dtype, const LanguageModelConfig& config) {
  if (config.moe.experts > 0) return std::make_unique<MoeFfn>(ctx, dtype, config);
  return std::make_unique<DenseFfn>(ctx, dtype, config);
}

}  // namespace moe
