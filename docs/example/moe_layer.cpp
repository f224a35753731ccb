// An MoE layer in a program of one's own: forward, a loss, backward. Built as `example_moe_layer`.
#include <cstdio>

#include "common/moe/moe_layer.hpp"
#include "kernels/base/random.hpp"

int main() {
  using namespace moe;
  Context ctx(2);                             // two threads
  const std::int64_t N = 64, D = 32, F = 48;  // tokens, model width, expert width
  MoeLayer layer(ctx, DType::f32, {.experts = 8, .top_k = 2}, D, F);
  initialise(ctx, 1, [&](const ParameterVisitor& visitor) { layer.visit(visitor); });

  Tensor x = Tensor::empty(ctx, DType::f32, {N, D});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = normal({.seed = 2}, i);

  Tape tape(ctx);
  LossSink losses;
  ForwardContext f{.ctx = ctx, .tape = &tape, .training = true, .losses = &losses};
  const Value y = layer.forward(f, tape.watch(x));                       // (N, D)
  std::vector<Tape::Root> roots = {{.value = y, .gradient = y.tensor}};  // of the loss Σ y²/2
  for (const LossSink::Item& item : losses.items) {                      // load balancing and z-loss
    roots.push_back({item.loss, item.coefficient});
    std::printf("%s loss %.3f\n", item.name.c_str(), scalar_of(item.loss.tensor));
  }
  tape.backward(roots);
  layer.visit([](const std::string& name, Parameter& p) {
    std::printf("%-16s %-12s has %s gradient\n", name.c_str(), to_string(p.value.shape()).c_str(),
                p.has_grad ? "a" : "no");
  });
}
