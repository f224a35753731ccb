#include "common/moe/routers/hash.hpp"

#include "common/moe/routers/router_ops.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe {
namespace {

constexpr std::uint64_t kHashSeed =
    2106'04426;  // part of the model: a checkpoint's experts know their tokens by it

class Hash final : public Router {
 public:
  explicit Hash(const MoeConfig& config) : E_(config.experts), K_(config.top_k) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows();
    MOE_CHECK(f.tokens && f.tokens->id.defined() && f.tokens->id.numel() == N,
              "hash routing needs the ids of ", N, " tokens");
    const Tensor expert = Tensor::empty(f.ctx, DType::i32, {N, K_});
    const RngKey key{
        .seed = kHashSeed, .purpose = Purpose::router_noise, .layer = static_cast<std::uint16_t>(f.layer)};
    hash_choice(f.ctx, expert.data<std::int32_t>(), f.tokens->id.data<std::int32_t>(), key, {N, E_, K_});
    const Tensor weight = Tensor::empty(f.ctx, x.tensor.dtype(), {N, K_});
    dispatch(weight.dtype(), [&]<class T>(T) {
      fill<T>(f.ctx, weight.data<T>(), 1.0 / static_cast<double>(K_), weight.numel());
    });
    push_choice(f, count_choices(f.ctx, expert, E_), {}, expert, weight);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = K_};
  }

  void visit(const ParameterVisitor&, const std::string&) override {}

 private:
  std::int64_t E_, K_;
};

}  // namespace

std::unique_ptr<Router> make_hash_router(Context&, DType, const MoeConfig& config, std::int64_t) {
  return std::make_unique<Hash>(config);
}

}  // namespace moe
