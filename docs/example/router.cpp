// A router of one's own, in one's own program: every token goes to the expert that the length of its vector names. Built as
// `example_router`; nothing in the library knows of it.
#include <cmath>
#include <cstdio>

#include "common/moe/moe_layer.hpp"
#include "kernels/base/random.hpp"

namespace {

using namespace moe;

class ByLength final : public Router {
 public:
  explicit ByLength(std::int64_t experts) : E_(experts) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows(), D = x.tensor.size(1);
    std::vector<std::int32_t> expert;
    for (std::int64_t n = 0; n < N;
         ++n) {  // on the CPU; for all devices, compose kernel operations as common/moe/routers does
      double squares = 0;
      for (std::int64_t d = 0; d < D; ++d) squares += std::pow(x.tensor.data<float>()[n * D + d], 2);
      expert.push_back(static_cast<std::int32_t>(squares) % static_cast<std::int32_t>(E_));
    }
    const Tensor weight = tensor_of(f.ctx, std::vector<float>(static_cast<std::size_t>(N), 1), {N, 1});
    return {.expert = tensor_of(f.ctx, expert, {N, 1}), .weight = weight, .token = {}, .per_token = 1};
  }
  void visit(const ParameterVisitor&, const std::string&) override {}  // it learns nothing

 private:
  std::int64_t E_;
};

}  // namespace

int main() {
  Context ctx(2);
  const std::int64_t N = 64, D = 32, F = 48, E = 4;
  MoeLayer layer(std::make_unique<ByLength>(E), std::make_unique<LocalExperts>(ctx, DType::f32, E, D, F));
  initialise(ctx, 1, [&](const ParameterVisitor& visitor) { layer.visit(visitor); });
  Tensor x = Tensor::empty(ctx, DType::f32, {N, D});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = normal({.seed = 2}, i);
  MetricSink metrics;
  ForwardContext f{.ctx = ctx, .metrics = &metrics};
  layer.forward(f, x);
  const auto offset = values_of<std::int32_t>(metrics.items.at(0).tensor);
  for (std::int64_t e = 0; e < E; ++e)
    std::printf("expert %d: %d tokens\n", int(e), offset[e + 1] - offset[e]);
  std::printf("together %d of %d\n", offset[E], int(N));
}
