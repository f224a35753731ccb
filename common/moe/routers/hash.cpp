#include "common/moe/routers/hash.hpp"

#include "common/moe/routers/router_ops.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe {

constexpr std::uint64_t kHashSeed =
    2106'04426;  // part of the model: a checkpoint's experts know their tokens by it

RngKey hash_key(const ForwardContext& f) {
  return {.seed = kHashSeed, .purpose = Purpose::router_noise, .layer = static_cast<std::uint16_t>(f.layer)};
}

Tensor token_ids(const ForwardContext& f, std::int64_t N) {
  MOE_CHECK(f.tokens && f.tokens->id.defined() && f.tokens->id.numel() == N, "hash routing needs the ids of ",
            N, " tokens");
  return f.tokens->id;
}

Routing equal_shares(ForwardContext& f, const Value& x, const Tensor& expert, std::int64_t E) {
  const std::int64_t K = expert.size(-1);
  const Tensor weight = Tensor::empty(f.ctx, x.tensor.dtype(), expert.shape());
  dispatch(weight.dtype(), [&]<class T>(T) {
    fill<T>(f.ctx, weight.data<T>(), 1.0 / static_cast<double>(K), weight.numel());
  });
  push_choice(f, count_choices(f.ctx, expert, E), {}, expert, weight);
  return {.expert = expert, .weight = weight, .token = {}, .per_token = K};
}

namespace {

class Hash final : public Router {
 public:
  explicit Hash(const MoeConfig& config) : E_(config.experts), K_(config.top_k) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows();
    const Tensor id = token_ids(f, N), expert = Tensor::empty(f.ctx, DType::i32, {N, K_});
    hash_choice(f.ctx, expert.data<std::int32_t>(), id.data<std::int32_t>(), hash_key(f), {N, E_, K_});
    return equal_shares(f, x, expert, E_);
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
