// Stages 1.1 to 1.4: tables with the right rows, numbers where they are exact, pictures, and what they are built from.
#include <cmath>
#include <sstream>

#include "common/autograd/gradient_check.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/experiment/load.hpp"
#include "sessions/01_overview/mixture/mixture.hpp"
#include "sessions/01_overview/published/models.hpp"
#include "sessions/01_overview/routing/gates.hpp"
#include "tests/sessions/support.hpp"

namespace moe::testing {
namespace {

using namespace session1;

class Stages : public Session {
 protected:
  Words plain(const std::string& number, const Words& more = {}) const {
    Words words = {kPrograms + "/stage_" + number, "--out", (folder / number).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // The files that every stage leaves, and that its picture is one SVG of `panels` plots.
  void expect_results(const std::string& number, const std::string& name, std::size_t panels,
                      const Ended& ended) {
    const fs::path stem = folder / number / name;
    EXPECT_TRUE(ended.out.starts_with(contents(stem.string() + ".txt")))
        << "what is printed is what is recorded";
    EXPECT_GT(contents(stem.string() + ".csv").size(), 20u);
    for (std::size_t i = 1; i <= panels; ++i)
      EXPECT_TRUE(fs::exists(concat(stem.string(), "_", i, ".csv"))) << i;
    if (!ended.out.ends_with(concat("picture: ", stem.string(), ".svg\n"))) GTEST_SKIP() << "no gnuplot";
    const std::string svg = contents(stem.string() + ".svg");
    EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
    EXPECT_EQ(count(svg, "<svg "), panels + 1);
    EXPECT_EQ(count(svg, "</svg>"), panels + 1);
    EXPECT_EQ(count(svg, "no data"), 0u);
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
  }
};

// Of the checkpoints that their authors released, as model cards state them to the last parameter.
TEST(PublishedModels, HaveAsManyParametersAsTheirCheckpoints) {
  const std::vector<PublishedModel> models = published_models(2048);
  const auto total = [&](std::size_t i) { return sum_of(models.at(i).parts).parameters; };
  EXPECT_EQ(total(0), 124'439'808) << models[0].name;
  EXPECT_EQ(total(1), 6'738'415'616) << models[1].name;
  EXPECT_EQ(total(2), 46'702'792'704) << models[2].name;
  EXPECT_EQ(total(3), 6'919'161'856) << models[3].name;
  EXPECT_EQ(total(4), 30'532'122'624) << models[4].name;
  EXPECT_NEAR(static_cast<double>(total(5)), 671e9, 0.5e9) << models[5].name;
  const auto active = [&](std::size_t i) {
    return static_cast<double>(sum_of(models.at(i).parts).active_parameters);
  };
  EXPECT_NEAR(active(2), 13e9, 0.5e9);
  EXPECT_NEAR(active(3), 1.3e9, 0.05e9);
  EXPECT_NEAR(active(4), 3.3e9, 0.06e9);
  EXPECT_NEAR(active(5), 37e9, 0.6e9);
  EXPECT_EQ(models.size(), 8u);
  EXPECT_EQ(total(7), cost_of(demo_model()).parameters);
}

// Latent attention by another route: each matrix of one layer written out.
TEST(PublishedModels, LatentAttentionIsCountedMatrixByMatrix) {
  const CostPart a = published_models(1)[5].parts.attention;
  const std::int64_t layer = 7168 * 1536 + 1536 * 24576 + 7168 * 576 + 512 * 32768 + 16384 * 7168;
  EXPECT_EQ(a.parameters, 61 * layer);
  EXPECT_DOUBLE_EQ(a.flops_per_token, 61 * (2.0 * static_cast<double>(layer) + 2.0 * 128 * 320));
}

TEST_F(Stages, DenseFfnCountsEveryModel) {
  const Ended ended = done(plain("1.1"));
  expect_results("1.1", "dense_ffn", 3, ended);
  for (const char* model :
       {"GPT-2 small", "Llama 2 7B", "Mixtral 8x7B", "OLMoE", "Qwen3-30B", "DeepSeek-V3", "demo, MoE"})
    EXPECT_NE(ended.out.find(model), std::string::npos) << model;
  EXPECT_NE(ended.out.find("46.7B"), std::string::npos);
  expect_refused(plain("1.1", {"--context", "0"}), 2, "--context");
}

TEST(Mixture, LossesHaveTheGradientsOfFiniteDifferences) {
  Context ctx(1);
  for (const MixtureLoss kind : {MixtureLoss::cooperative, MixtureLoss::competitive})
    for (const double sigma : {0.1, 1.0}) {
      const std::vector<Tensor> inputs = {tensor_of<double>(ctx, {0.3, 0.7, 0.9, 0.1, 0.5, 0.5}, {3, 2}),
                                          tensor_of<double>(ctx, {1, -0.5, 0.2, 0.8, -1, 1}, {3, 2})};
      const Tensor y = tensor_of<double>(ctx, {0.1, 0.2, -0.9}, {3});
      const GradientCheck check = check_gradients(ctx, inputs, [&](Tape& tape, const std::vector<Value>& v) {
        ForwardContext f{.ctx = ctx, .tape = &tape};
        return mixture_loss(f, v[0], v[1], y, kind, sigma);
      });
      EXPECT_LT(check.worst, 1e-6) << check.where;
    }
}

// One point, p = (1/4, 3/4), o = (1, 0), y = 1, sigma = 1: the blend misses by 3/4; the likelihood is 1/4 + 3/4·e^(-1/2).
TEST(Mixture, LossesByHand) {
  Context ctx(1);
  ForwardContext f{.ctx = ctx};
  const Tensor p = tensor_of<double>(ctx, {0.25, 0.75}, {1, 2}), o = tensor_of<double>(ctx, {1, 0}, {1, 2}),
               y = tensor_of<double>(ctx, {1}, {1});
  EXPECT_DOUBLE_EQ(scalar_of(mixture_loss(f, p, o, y, MixtureLoss::cooperative, 1).tensor),
                   0.5 * 0.75 * 0.75);
  EXPECT_DOUBLE_EQ(scalar_of(mixture_loss(f, p, o, y, MixtureLoss::competitive, 1).tensor),
                   -std::log(0.25 + 0.75 * std::exp(-0.5)));
}

// A point so far from both experts that both likelihoods are 0 in a double still has a loss and gradients.
TEST(Mixture, FarPointsKeepTheLossFinite) {
  Context ctx(1);
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Value o = tape.watch(tensor_of<double>(ctx, {100, 101}, {1, 2}));
  const Tensor p = tensor_of<double>(ctx, {0.5, 0.5}, {1, 2}), y = tensor_of<double>(ctx, {0}, {1});
  const Value loss = mixture_loss(f, p, o, y, MixtureLoss::competitive, 0.1);
  EXPECT_NEAR(scalar_of(loss.tensor), 100 * 100 / 0.02 + std::log(2), 1);
  const Tape::Root root{loss};
  tape.backward({&root, 1});
  EXPECT_NEAR(values_of<double>(tape.gradient_of(o))[0], 100 / 0.01, 1e-6);
}

// What the stage is there to show, over seeds: only the competitive loss makes experts that can be left alone.
TEST(Mixture, OnlyCompetitionMakesExpertsThatStandAlone) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Curve2d data = parabola(64, 0.05, seed);
    const MixtureState co = train_mixture(data, {.loss = MixtureLoss::cooperative, .seed = seed}).back(),
                       comp = train_mixture(data, {.loss = MixtureLoss::competitive, .seed = seed}).back();
    EXPECT_LT(co.blend_error, 0.1) << seed;
    EXPECT_GT(co.chosen_error, 5 * co.blend_error) << seed;
    EXPECT_LT(comp.chosen_error, 0.25) << seed;
    EXPECT_LT(comp.chosen_error, 1.2 * comp.blend_error) << seed;
    EXPECT_GT(comp.information, 0.5) << seed;
  }
}

TEST(Mixture, KeepsTheStatesAskedFor) {
  const auto states = train_mixture(parabola(8, 0, 1), {.steps = 30, .states = 10});
  ASSERT_EQ(states.size(), 11u);
  EXPECT_EQ(states.front().step, 0);
  EXPECT_EQ(states.back().step, 30);
  EXPECT_EQ(states[1].gate.size(), 8u);
}

TEST_F(Stages, MixtureShowsBothLosses) {
  const Ended ended = done(plain("1.2", {"--steps", "50"}));
  expect_results("1.2", "mixture", 4, ended);
  const Ended again = done(plain("1.2", {"--steps", "50", "--json"}));
  EXPECT_NE(again.out.find("\"cooperative\""), std::string::npos);
  EXPECT_EQ(again.out.find("picture"), std::string::npos) << "JSON and nothing else";
  expect_refused(plain("1.2", {"--sigma", "0"}), 2, "--sigma");
}

// p by hand: the sums are 0.8 and 0.6, and both other forms are 5/8, 3/8 and 2/3, 1/3.
TEST(GateForms, SoftmaxOverTheChosenIsRenormalisation) {
  Context ctx(1);
  const Tensor p = tensor_of<float>(ctx, {0.5F, 0.3F, 0.2F, 0.2F, 0.4F, 0.2F, 0.1F, 0.1F}, {2, 4});
  const GateForms two_of_four = compare_gate_forms(ctx, p, 2);
  EXPECT_NEAR(two_of_four.most, 0.8, 1e-6);
  EXPECT_NEAR(two_of_four.least, 0.6, 1e-6);
  EXPECT_NEAR(two_of_four.mean, 0.7, 1e-6);
  EXPECT_LT(two_of_four.difference, 1e-6);
}

TEST_F(Stages, TopKRoutingComparesRoutingsOfOneModel) {
  const Ended ended = done(lm_stage("1.3", "1.3", {"--experts", "8"}));
  expect_results("1.3", "top_k_routing", 2, ended);
  for (const char* row : {"2, renormalised (as trained)", "2, as softmax gives them", "1, renormalised",
                          "4, renormalised", "8, renormalised", "25.0%", "100.0%"})
    EXPECT_NE(ended.out.find(row), std::string::npos) << row;
  for (const std::string& domain : kDomains)
    EXPECT_NE(ended.out.find("  " + domain + ": expert"), std::string::npos);
  EXPECT_NE(ended.out.find(" 3.07k "), std::string::npos) << "6·D·F·K·L = 6·16·8·2·2 FLOPs a token";
  EXPECT_EQ(count(done(lm_stage("1.3", "four", {"--experts", "4"})).out, "│ 4, renormalised"), 1u)
      << "2·K is E";
}

TEST(HeldOutLoad, IsTheMeanOverLayers) {
  Evaluation e;
  e.expert_domain = {{{3, 3}, {1, 1}}, {{2, 2}, {2, 2}}};  // loads 6, 2 and 4, 4
  const LoadMetrics m = held_out_load(e);
  EXPECT_DOUBLE_EQ(m.max_violation, 0.25);
  EXPECT_DOUBLE_EQ(m.cv, 0.25);
  EXPECT_EQ(m.dead, 0);
}

TEST(ValueAt, IsTheLastUpToTheStep) {
  const std::vector<MetricRecord> metrics = {{{"step", std::int64_t{1}}, {"x", 5.0}},
                                             {{"step", std::int64_t{10}}, {"x", 6.0}},
                                             {{"step", std::int64_t{20}}, {"y", 1.0}}};
  EXPECT_EQ(value_at(metrics, "x", 9), 5);
  EXPECT_EQ(value_at(metrics, "x", 99), 6);
  EXPECT_TRUE(std::isnan(value_at(metrics, "x", 0)));
}

TEST_F(Stages, LoadBalanceHasARowForEveryWay) {
  const Ended ended = done(lm_stage("1.4", "1.4"));
  expect_results("1.4", "load_balance", 4, ended);
  for (const char* row : {"│ nothing ", "│ z-loss ", "│ aux loss ", "│ aux loss + z-loss ", "│ bias "})
    EXPECT_NE(ended.out.find(row), std::string::npos) << row;
  EXPECT_NE(ended.out.find(" of 8 │"), std::string::npos) << "dead, of 4 experts in 2 layers";
  EXPECT_TRUE(fs::exists(folder / "1.4/bias/metrics.jsonl"));
  expect_refused(lm_stage("1.4", "x", {"--top-k", "5"}), 2, "--top-k 5 of 4 experts");
  expect_refused(lm_stage("1.4", "x", {"--device", "cuda:99"}), 3, "");
  EXPECT_FALSE(fs::exists(folder / "x"));
}

TEST_F(Stages, ThreadsDoNotChangeTheResult) {
  for (const std::string number : {"1.3", "1.4"}) {
    const std::string one = done(lm_stage(number, "one", {"--json"})).out;
    EXPECT_EQ(done(lm_stage(number, "three", {"--threads", "3", "--json"})).out, one) << number;
  }
}

// What `moe figures NAME` wrote into the lesson.
std::string recorded(const std::string& name) {
  const std::string lesson = contents(MOE_LESSON), begin = "<!-- begin " + name + " -->\n```text\n",
                    end = "```\n<!-- end " + name + " -->";
  const std::size_t from = lesson.find(begin), to = lesson.find(end);
  EXPECT_TRUE(from != std::string::npos && to != std::string::npos) << name;
  return from < to && to != std::string::npos ? lesson.substr(from + begin.size(), to - from - begin.size())
                                              : "";
}

// The first cells of a table's rows, and its heading.
std::string rows_of(const std::string& text) {
  std::string rows, line;
  for (std::istringstream lines(text); std::getline(lines, line);)
    if (line.starts_with("│")) rows += rows.empty() ? line : line.substr(0, line.find("│", 3));
  return rows;
}

// What only counts, or computes a little in f64, is the same on any machine; of training only the form of the table is.
TEST_F(Stages, TheLessonShowsWhatTheStagesPrint) {
  done(plain("1.1")), done(plain("1.2"));
  EXPECT_EQ(recorded("dense_ffn"), contents(folder / "1.1/dense_ffn.txt")) << "run moe figures dense_ffn";
  EXPECT_EQ(recorded("mixture"), contents(folder / "1.2/mixture.txt")) << "run moe figures mixture";
  done(lm_stage("1.3", "1.3", {"--experts", "16"})), done(lm_stage("1.4", "1.4", {"--steps", "50"}));
  EXPECT_GT(rows_of(recorded("load_balance")).size(), 100u);
  EXPECT_EQ(rows_of(recorded("top_k_routing")), rows_of(contents(folder / "1.3/top_k_routing.txt")));
  EXPECT_EQ(rows_of(recorded("load_balance")), rows_of(contents(folder / "1.4/load_balance.txt")));
}

TEST_F(Stages, HelpShowsExamples) {
  for (const std::string number : {"1.1", "1.2", "1.3", "1.4"})
    EXPECT_NE(done(plain(number, {"--help"})).out.find("moe stage " + number), std::string::npos);
}

}  // namespace
}  // namespace moe::testing
