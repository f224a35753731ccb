// The same training on every device.
#include "common/train/agreement.hpp"

#include <iostream>

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

}  // namespace
}  // namespace moe
