// Two models train in two threads at once and give the bytes that each gives alone: there are no globals.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "tests/nn/support.hpp"

namespace moe::testing {
namespace {

using Weights = std::vector<std::vector<float>>;

struct Training {
  double first_loss = 0, last_loss = 0;
  Weights weights;
  bool operator==(const Training&) const = default;
};

LanguageModelConfig medium_config(std::int64_t experts) {
  LanguageModelConfig c = tiny_config(experts);
  c.width = 32;
  c.ffn_width = 33;
  return c;
}

Training train(const LanguageModelConfig& config, std::uint64_t seed, int threads) {
  TestModel test(config, DType::f32, threads, seed);
  const Batch batch = batch_of(test.ctx, 4, 33, config.vocabulary, seed);
  Training result;
  for (int step = 0; step < 12; ++step) {
    Tape tape(test.ctx);
    LossSink losses;
    ForwardContext f{
        .ctx = test.ctx, .tape = &tape, .training = true, .tokens = &batch.tokens, .losses = &losses};
    std::vector<Tape::Root> roots{{ops::cross_entropy(f, test.model.forward(f), batch.target)}};
    for (const LossSink::Item& item : losses.items) roots.push_back({item.loss, item.coefficient});
    result.last_loss = scalar_of(roots[0].value.tensor);
    if (step == 0) result.first_loss = result.last_loss;
    tape.backward(roots);
    for (Parameter* p : test.parameters()) {
      for (std::int64_t i = 0; i < p->value.numel(); ++i)
        p->value.data<float>()[i] -= 0.1f * p->grad.data<float>()[i];
      p->has_grad = false;
    }
  }
  for (Parameter* p : test.parameters()) result.weights.push_back(values_of<float>(p->value));
  return result;
}

TEST(Training, ReducesTheLoss) {
  for (const std::int64_t experts : {0, 4}) {
    const Training t = train(medium_config(experts), 1, 2);
    EXPECT_LT(t.last_loss, t.first_loss - 0.1);
  }
}

TEST(Training, GivesTheSameBytesForAnyThreadCount) {
  const Training one = train(medium_config(4), 1, 1);
  EXPECT_EQ(train(medium_config(4), 1, 2), one);
  EXPECT_EQ(train(medium_config(4), 1, 3), one);
}

TEST(Training, TwoModelsAtOnceGiveTheBytesThatEachGivesAlone) {
  const LanguageModelConfig config[2] = {medium_config(4), medium_config(6)};
  const Training alone[2] = {train(config[0], 1, 2), train(config[1], 2, 2)};
  for (int repeat = 0; repeat < 3; ++repeat) {
    Training together[2];
    std::thread other([&] { together[1] = train(config[1], 2, 2); });
    together[0] = train(config[0], 1, 2);
    other.join();
    EXPECT_EQ(together[0], alone[0]);
    EXPECT_EQ(together[1], alone[1]);
  }
}

}  // namespace
}  // namespace moe::testing
