// What a tape holds, in bytes of the context's allocator. Tensors are 4 KiB, a size class of their own.
#include <gtest/gtest.h>

#include "tests/autograd/nodes.hpp"

namespace moe::testing {
namespace {

constexpr std::size_t kTensor = 4096;

Tensor block(Context& ctx) {
  return floats(ctx, Floats(kTensor / sizeof(float), 1));
}

// x^(2^depth) by squaring; every node keeps its input.
Value square_repeatedly(Context& ctx, Tape& tape, Value x, int depth) {
  for (int i = 0; i < depth; ++i) x = times(ctx, tape, x, x);
  return x;
}

std::size_t peak_of(int depth) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(block(ctx));
  const Tape::Root root{.value = square_repeatedly(ctx, tape, x, depth), .gradient = block(ctx)};
  tape.backward({&root, 1});
  return ctx.allocator->peak_bytes() / kTensor;
}

TEST(TapeMemory, AfterBackwardOnlyParametersAndGradientsLive) {
  Context ctx;
  Parameter p;
  p.value = block(ctx);
  {
    Tape tape(ctx);
    Tape::Root root;
    {
      Value x = tape.watch(block(ctx));
      root = {.value = times(ctx, tape, square_repeatedly(ctx, tape, x, 5), tape.leaf(p)),
              .gradient = block(ctx)};
    }
    tape.backward({&root, 1});
    root = {};
    EXPECT_EQ(ctx.allocator->live_bytes(),
              3 * kTensor);  // value, gradient, and the gradient of what was watched
  }
  EXPECT_EQ(ctx.allocator->live_bytes(), 2 * kTensor);
}

TEST(TapeMemory, PeakGrowsByOneSavedTensorANode) {
  for (const int depth : {1, 2, 5, 17}) EXPECT_EQ(peak_of(depth + 1) - peak_of(depth), 1u) << depth;
}

// A node that saves nothing costs nothing: gradients of values behind are freed on the way.
TEST(TapeMemory, ChainsThatSaveNothingNeedTwoGradients) {
  for (const int depth : {2, 30}) {
    Context ctx;
    Tape tape(ctx);
    Value y = tape.watch(block(ctx));
    for (int i = 0; i < depth; ++i) y = scaled(ctx, tape, y, 1);
    const Tape::Root root{.value = y, .gradient = block(ctx)};
    y = {};
    tape.backward({&root, 1});
    EXPECT_EQ(ctx.allocator->peak_bytes(), 4 * kTensor)
        << depth;  // root value, root gradient, one in, one out
  }
}

TEST(TapeMemory, SavedTensorsAreFreedAsTheyAreConsumed) {
  Context ctx;
  Tape tape(ctx);
  std::vector<std::size_t> live;
  Value y = tape.watch(block(ctx));
  for (int i = 0; i < 6; ++i)
    y = tape.record({y}, block(ctx), [&, saved = block(ctx)](Gradients& g) {
      live.push_back(ctx.allocator->live_bytes() / kTensor);
      g.give(0, block(g.ctx));
    });
  const Tape::Root root{.value = y, .gradient = block(ctx)};
  tape.backward({&root, 1});
  ASSERT_EQ(live.size(), 6u);
  // All six saved tensors, the last value and its gradient (which the root holds as well); then one saved tensor fewer
  // each time, the arriving gradient beside the root's.
  EXPECT_EQ(live, (std::vector<std::size_t>{8, 8, 7, 6, 5, 4}));
}

TEST(TapeMemory, ATapeThatNeverRanBackwardFreesEverything) {
  Context ctx;
  {
    Tape tape(ctx);
    square_repeatedly(ctx, tape, tape.watch(block(ctx)), 4);
    EXPECT_EQ(ctx.allocator->live_bytes(), 4 * kTensor);
  }
  EXPECT_EQ(ctx.allocator->live_bytes(), 0u);
}

}  // namespace
}  // namespace moe::testing
