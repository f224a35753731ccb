// The same training on every device.
#include "common/train/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <map>

#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace testing;

Agreement agreement_with(Context& other, const LanguageModelConfig& config, const Corpus& corpus,
                         std::int64_t steps) {
  Context cpu(2);
  Trainer a(cpu, config, small_settings(steps), corpus), b(other, config, small_settings(steps), corpus);
  return compare_devices(a, b, corpus, steps);
}

TEST(Agreement, OfTheCpuWithItselfIsComplete) {
  const Corpus corpus = small_corpus();
  Context other(1);
  const Agreement g = agreement_with(other, small_config(4), corpus, 3);
  EXPECT_EQ(g.gradient, 0);
  EXPECT_EQ(g.loss, 0);
  EXPECT_GT(g.decisions, 0);
  EXPECT_EQ(g.same_decisions, g.decisions);
}

TEST(Agreement, OfTwoModelsIsNone) {
  const Corpus corpus = small_corpus();
  Context one, two;
  TrainSettings other = small_settings(2);
  other.seed += 1;
  Trainer a(one, small_config(4), small_settings(2), corpus), b(two, small_config(4), other, corpus);
  const Agreement g = compare_devices(a, b, corpus, 2);
  EXPECT_GT(g.gradient, 0.1);
  EXPECT_GT(g.loss, 1e-4);
  EXPECT_LT(g.same_decisions, g.decisions);
}

void expect_agreement(const Agreement& g, bool routed) {
  std::cout << describe(g) << "\n";
  EXPECT_LT(g.gradient, 1e-4);
  EXPECT_LT(g.loss, 1e-3);
  EXPECT_EQ(g.decisions > 100, routed);
  EXPECT_GE(static_cast<double>(g.same_decisions), 0.999 * static_cast<double>(g.decisions));
}

#ifdef MOE_HAVE_EMULATED
// Twenty steps, in memory that is closed to the host but for launches and copies: whatever reads a count or a loss on the
// host in forward or backward ends the process.
TEST(Agreement, TheEmulatedDeviceTrainsLikeTheCpu) {
  const Corpus corpus = small_corpus();
  for (const std::int64_t experts : {0, 4}) {
    Context emulated(Device{DeviceKind::emulated}, 2);
    emulated.allocator = make_emulated_allocator(HostAccess::forbidden);
    emulated.emulated_order = 1;
    expect_agreement(agreement_with(emulated, small_config(experts, experts == 0), corpus, 20), experts > 0);
  }
}
#endif

// Against two more trainers that make the same steps by hand.
TEST(Agreement, IsThatOfTheWorstStepAndTheFirstStepsWorstParameter) {
  const Corpus corpus = small_corpus();
  Context ctx;
  TrainSettings other = small_settings(4);
  other.seed += 1;
  Trainer a(ctx, small_config(4), small_settings(4), corpus), b(ctx, small_config(4), other, corpus),
      a2(ctx, small_config(4), small_settings(4), corpus), b2(ctx, small_config(4), other, corpus);
  const Agreement g = compare_devices(a, b, corpus, 4);
  std::vector<double> loss;
  double worst = 0;
  std::string worst_name;
  for (int step = 0; step < 4; ++step) {
    const double loss_a = a2.step(true)->loss, loss_b = b2.step(true)->loss;
    loss.push_back(std::abs(loss_a - loss_b) / loss_a);
    if (step > 0) continue;
    std::map<std::string, std::vector<float>> of_a;
    a2.model().visit([&](const std::string& name, Parameter& p) { of_a[name] = values_of<float>(p.grad); });
    b2.model().visit([&](const std::string& name, Parameter& p) {
      const std::vector<float> y = values_of<float>(p.grad), &x = of_a[name];
      double difference = 0, norm = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        difference += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
        norm += double{x[i]} * x[i];
      }
      if (std::sqrt(difference / norm) > worst) worst = std::sqrt(difference / norm), worst_name = name;
    });
  }
  EXPECT_EQ(g.loss, *std::max_element(loss.begin(), loss.end()));
  EXPECT_LT(loss.back(), g.loss);  // or the line above would see the last step alone
  EXPECT_DOUBLE_EQ(g.gradient, worst);
  EXPECT_EQ(g.gradient_of, worst_name);
  EXPECT_EQ(g.decisions, 2 * 2 * 3 * kContext * 2);  // layers, domains, sequences, tokens, experts
}

// With a last norm of 0 nothing gets a gradient on one side.
TEST(Agreement, GradientsThatAreZeroOnOneSideAreInfinitelyFarApart) {
  const Corpus corpus = small_corpus();
  Context ctx;
  Trainer a(ctx, small_config(0), small_settings(1), corpus),
      b(ctx, small_config(0), small_settings(1), corpus);
  a.model().visit([&](const std::string& name, Parameter& p) {
    if (name == "model.norm.weight") p.value = Tensor::zeros(ctx, p.value.dtype(), p.value.shape());
  });
  EXPECT_EQ(compare_devices(a, b, corpus, 1).gradient, std::numeric_limits<double>::infinity());
}

// One side reads the letters of one domain alone as others: the decisions about the other domain stay.
TEST(Agreement, DecisionsOfEveryDomainCount) {
  const Corpus corpus = small_corpus();
  Context ctx;
  for (const std::string letters : {"themoonisround \n", "SUN;GLARE!BURN\t"}) {
    Trainer a(ctx, small_config(4), small_settings(1), corpus),
        b(ctx, small_config(4), small_settings(1), corpus);
    b.model().visit([&](const std::string& name, Parameter& p) {
      if (name != "model.embed_tokens.weight") return;
      for (const char c : letters)
        for (int d = 0; d < 16; ++d) p.value.data<float>()[c * 16 + d] *= d % 2 ? -1.0f : 1.0f;
    });
    const Agreement g = compare_devices(a, b, corpus, 0);
    EXPECT_LT(g.same_decisions, g.decisions) << letters;
    EXPECT_GE(g.same_decisions, g.decisions / 2) << letters;
  }
}

TEST(Agreement, GradientsThatAreZeroOnBothSidesAgree) {
  const Corpus corpus = small_corpus();
  Context ctx;
  Trainer a(ctx, small_config(0), small_settings(1), corpus),
      b(ctx, small_config(0), small_settings(1), corpus);
  for (Trainer* t : {&a, &b})
    t->model().visit([&](const std::string& name, Parameter& p) {
      if (name == "model.norm.weight") p.value = Tensor::zeros(ctx, p.value.dtype(), p.value.shape());
    });
  EXPECT_EQ(compare_devices(a, b, corpus, 1).gradient, 0);
}

TEST(Agreement, IsDescribedInNumbers) {
  EXPECT_EQ(describe({.steps = 20,
                      .gradient = 1.2e-6,
                      .gradient_of = "w",
                      .loss = 3.1e-7,
                      .decisions = 400,
                      .same_decisions = 399}),
            "gradients of the first step within 1.2e-06 (w), loss over 20 steps within 3.1e-07, "
            "99.75 % of 400 routing decisions");
}

}  // namespace
}  // namespace moe
