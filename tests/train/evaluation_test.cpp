// Held-out bits per byte and the counts of experts by domain, against cases whose answer is known.
#include "common/train/evaluation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/data/bpe_train.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

void change(LanguageModel& model, const std::string& parameter, float value) {
  int found = 0;
  model.visit([&](const std::string& name, Parameter& p) {
    if (!name.ends_with(parameter)) return;
    for (std::int64_t i = 0; i < p.value.numel(); ++i) p.value.data<float>()[i] = value;
    ++found;
  });
  ASSERT_GT(found, 0) << parameter;
}

struct Job {
  Context ctx{2};
  Corpus corpus = small_corpus();
  HeldOut held_out{corpus, 4, kContext, 10 * kContext};
  Trainer trainer;
  explicit Job(std::int64_t experts) : trainer(ctx, small_config(experts), small_settings(20), corpus) {}
  Evaluation evaluate() { return held_out.evaluate(ctx, trainer.model()); }
};

TEST(Evaluation, AUniformModelNeedsEightBitsAByte) {
  for (const std::int64_t experts : {0, 4}) {
    Job job(experts);
    change(job.trainer.model(), "lm_head.weight", 0);
    const Evaluation e = job.evaluate();
    ASSERT_EQ(e.domain_bits.size(), 2u);
    for (const double bits : e.domain_bits) EXPECT_NEAR(bits, 8, 1e-6);
    EXPECT_NEAR(e.bits_per_byte, 8, 1e-6);
  }
}

// log2(V) bits for each token that is predicted, over the bytes that these tokens stand for.
TEST(Evaluation, PiecesOfSeveralBytesShareTheirBits) {
  const std::string text = shuffled_words({"the ", "m\xC3\xB6\xC3\xB6n ", "is ", "round\n"}, 3000, 1);
  const std::string_view view = text;
  const auto bpe = std::make_shared<BpeTokenizer>(train_bpe(std::span(&view, 1), {.vocabulary = 270}));
  Corpus corpus{.domains = {}, .tokenizer = bpe};
  DomainSource source;
  source.name = "tales";
  corpus.domains.push_back(make_domain(source, {text}, *bpe, kContext));
  Context ctx{1};
  LanguageModelConfig config = small_config(4);
  config.vocabulary = bpe->vocabulary();
  LanguageModel model(ctx, config);
  initialise(ctx, 1, [&](const ParameterVisitor& v) { model.visit(v); });
  change(model, "lm_head.weight", 0);
  const std::vector<Token>& held_out = corpus.domains[0].held_out;
  const std::size_t windows = (held_out.size() - 1) / kContext, tokens = windows * kContext;
  ASSERT_GT(*std::max_element(held_out.begin(), held_out.end()), 255) << "ids that no byte has";
  const double bytes = static_cast<double>(bpe->decode(std::span(held_out).subspan(1, tokens)).size());
  ASSERT_GT(bytes, 1.5 * static_cast<double>(tokens));
  const Evaluation e = HeldOut(corpus, 4, kContext, 1 << 20).evaluate(ctx, model);
  EXPECT_NEAR(e.bits_per_byte, std::log2(270) * static_cast<double>(tokens) / bytes, 1e-5);
}

// The loss of every held-out token summed here, from the logits.
TEST(Evaluation, IsTheCrossEntropyOfTheHeldOutWindows) {
  Job job(4);
  for (int i = 0; i < 10; ++i) job.trainer.step(false);
  const Evaluation e = job.evaluate();
  for (std::size_t d = 0; d < 2; ++d) {
    double nats = 0, bytes = 0;
    for (const Batch& b : held_out_batches(job.corpus, d, 1, kContext, 10 * kContext)) {
      const TokenInfo tokens{.sequences = 1,
                             .length = kContext,
                             .id = tensor_of(job.ctx, b.id, {kContext}),
                             .position = tensor_of(job.ctx, b.position, {kContext}),
                             .sequence = tensor_of(job.ctx, b.sequence, {kContext}),
                             .tag = {}};
      ForwardContext f{.ctx = job.ctx, .tokens = &tokens};
      const std::vector<float> logits = values_of<float>(job.trainer.model().forward(f).tensor);
      for (std::size_t t = 0; t < static_cast<std::size_t>(kContext); ++t) {
        double sum = 0;
        for (std::size_t v = 0; v < 256; ++v) sum += std::exp(static_cast<double>(logits[t * 256 + v]));
        nats += std::log(sum) - static_cast<double>(logits[t * 256 + static_cast<std::size_t>(b.target[t])]);
        ++bytes;
      }
    }
    EXPECT_NEAR(e.domain_bits[d], nats / bytes / std::log(2.0), 1e-5);
  }
  EXPECT_DOUBLE_EQ(e.bits_per_byte, (e.domain_bits[0] + e.domain_bits[1]) / 2);
}

TEST(Evaluation, CountsEveryAssignmentOfEveryLayerOnce) {
  Job job(4);
  const Evaluation e = job.evaluate();
  ASSERT_EQ(e.expert_domain.size(), 2u) << "one a layer";
  for (const auto& layer : e.expert_domain) {
    ASSERT_EQ(layer.size(), 4u);
    for (std::size_t d = 0; d < 2; ++d) {
      double sum = 0;
      for (const auto& expert : layer) sum += expert.at(d);
      EXPECT_EQ(sum, 10 * kContext * 2) << "domain " << d;  // 10 windows, K = 2
    }
  }
}

TEST(Evaluation, ADenseModelHasNoExperts) {
  EXPECT_TRUE(Job(0).evaluate().expert_domain.empty());
}

TEST(Evaluation, ChangesNothingAndGivesTheSameAgain) {
  Job job(4), undisturbed(4);
  for (int i = 0; i < 6; ++i) {
    job.trainer.step(false);
    undisturbed.trainer.step(false);
    const Evaluation first = job.evaluate(), second = job.evaluate();
    EXPECT_EQ(first.domain_bits, second.domain_bits);
    EXPECT_EQ(first.expert_domain, second.expert_domain);
  }
  EXPECT_TRUE(same_bytes(parameters_of(job.trainer.model()), parameters_of(undisturbed.trainer.model())));
}

TEST(Evaluation, DoesNotDependOnHowWindowsAreBatched) {
  Job job(4);
  const HeldOut one(job.corpus, 1, kContext, 10 * kContext), all(job.corpus, 10, kContext, 10 * kContext);
  const Evaluation a = one.evaluate(job.ctx, job.trainer.model()),
                   b = all.evaluate(job.ctx, job.trainer.model());
  EXPECT_NEAR(a.bits_per_byte, b.bits_per_byte, 1e-6);
  EXPECT_EQ(a.expert_domain, b.expert_domain);
}

TEST(MutualInformation, IsZeroWhenExpertsDoNotCareAboutDomains) {
  EXPECT_NEAR(mutual_information({{1, 2, 3}, {10, 20, 30}}), 0, 1e-15);
  EXPECT_NEAR(mutual_information({{5}, {7}, {0}}), 0, 1e-15);
}

TEST(MutualInformation, IsTheEntropyOfDomainsWhenExpertsKnowThem) {
  EXPECT_NEAR(mutual_information({{4, 0}, {0, 4}}), std::log(2.0), 1e-15);
  EXPECT_NEAR(mutual_information({{3, 0, 0}, {0, 2, 0}, {0, 0, 3}, {0, 1, 0}}), std::log(3.0), 1e-15);
}

TEST(MutualInformation, OfACaseByHand) {
  // p = 1/2, 0, 1/4, 1/4; rows 1/2, 1/2; columns 3/4, 1/4:  1/2 ln(4/3) + 1/4 ln(2/3) + 1/4 ln 2
  EXPECT_NEAR(mutual_information({{2, 0}, {1, 1}}),
              0.5 * std::log(4.0 / 3) + 0.25 * std::log(2.0 / 3) + 0.25 * std::log(2.0), 1e-15);
}

TEST(MutualInformation, OfNothingIsZero) {
  EXPECT_EQ(mutual_information({}), 0);
  EXPECT_EQ(mutual_information({{0, 0}, {0, 0}}), 0);
}

}  // namespace
}  // namespace moe
