// Stage 1.7 from flags to files.
#include <algorithm>

#include "tests/sessions/support.hpp"

namespace moe::testing {
namespace {

class Stage : public Session {};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

double last(const std::vector<MetricRecord>& records, const char* key) {
  double value = -1;
  for (const MetricRecord& r : records)
    if (r.find(key)) value = r.number(key);
  return value;
}

TEST_F(Stage, TheReportIsOneFileWithAllSections) {
  done(stage("run"));
  const std::string page = contents(folder / "run/report.html");
  for (const char* section : {"Result", "Loss", "Expert load", "Experts and domains", "Who reads what",
                              "Generated text", "Configuration", "Data", "Machine"})
    EXPECT_NE(page.find(concat(">", section, "</h2>")), std::string::npos) << section;
  EXPECT_GE(count(page, "<svg"), 7u) << "three losses, two loads, two metrics";
  for (const char* outside : {"src=\"http", "href=\"http", "src=\"//", "<link", "@import", "url(http"})
    EXPECT_EQ(count(page, outside), 0u) << outside;
  EXPECT_NE(page.find("</html>"), std::string::npos);
  for (const std::string& domain : kDomains) EXPECT_NE(page.find(domain), std::string::npos) << domain;
}

TEST_F(Stage, TheNumbersOfTheComparisonAreThoseOfTheMetrics) {
  const Ended ended = done(stage("run"));
  const auto c = read_metrics((folder / "run/comparison.json").string()).at(0);
  for (const std::string model : {"dense", "moe"}) {
    const auto metrics = metrics_of("run", model);
    EXPECT_EQ(c.number(model + "_bits_per_byte"), last(metrics, "held_out")) << model;
    EXPECT_EQ(c.number(model + "_seconds"), last(metrics, "seconds")) << model;
    EXPECT_EQ(last(metrics, "step"), 40);
    EXPECT_DOUBLE_EQ(c.number(model + "_tokens_per_second"), 40 * 128 / c.number(model + "_seconds"));
    EXPECT_EQ(std::get<std::vector<double>>(*c.find(model + "_domain_bits")).size(), 6u);
  }
  EXPECT_NEAR(c.number("moe_flops_per_token") / c.number("dense_flops_per_token"), 1, 0.01);
  EXPECT_EQ(c.number("equal_seconds"), std::min(c.number("dense_seconds"), c.number("moe_seconds")));
  char shown[32];
  std::snprintf(shown, sizeof shown, "%.3f", c.number("moe_bits_per_byte"));
  EXPECT_NE(ended.out.find(shown), std::string::npos) << "the terminal shows " << shown;
}

TEST_F(Stage, JsonPrintsTheComparisonAndNothingElse) {
  const Ended ended = done(stage("run", {"--json", "--quiet"}));
  EXPECT_EQ(ended.out, contents(folder / "run/comparison.json"));
  EXPECT_EQ(ended.err, "") << "--quiet";
}

TEST_F(Stage, NumbersStandAsCsv) {
  done(stage("run"));
  for (const char* name :
       {"held_out_steps.csv", "held_out_seconds.csv", "training_loss.csv", "comparison.csv",
        "load_layer_1.csv", "load_layer_2.csv", "expert_domain_layer_1.csv", "expert_domain_layer_2.csv"})
    EXPECT_GE(count(contents(folder / "run" / name), "\n"), 3u) << name;
}

TEST_F(Stage, ThreadsAndTracingDoNotChangeTheResult) {
  done(stage("one"));
  done(stage("three", {"--threads", "3", "--trace"}));
  EXPECT_EQ(result_of("three"), result_of("one"));
  EXPECT_NE(contents(folder / "three/moe/trace.json").find("\"traceEvents\""), std::string::npos);
}

TEST_F(Stage, CapacityAndTheSwitchRouterReachTheReport) {
  done(stage("run", {"--router", "switch", "--top-k", "1", "--capacity", "0.5"}));
  EXPECT_GT(last(metrics_of("run", "moe"), "dropped"), 0);
}

// Each weight changes the MoE model, and only that.
TEST_F(Stage, TheWeightsOfTheRoutersLossesReachTheirLosses) {
  done(stage("plain"));
  for (const std::string flag : {"--aux", "--z-loss"}) {
    done(stage(flag.substr(2), {flag, "3"}));
    const auto bits = [&](const std::string& run, const std::string& model) {
      return last(metrics_of(run, model), "held_out");
    };
    EXPECT_EQ(bits(flag.substr(2), "dense"), bits("plain", "dense")) << flag;
    EXPECT_NE(bits(flag.substr(2), "moe"), bits("plain", "moe")) << flag;
  }
}

// The flags of this router change what it does; groups that do not divide the experts are refused.
TEST_F(Stage, TheFlagsOfTheBalancedRouterReachIt) {
  const auto bits = [&](const std::string& run, const Words& flags) {
    Words words = {"--router", "bias_balanced"};
    words.insert(words.end(), flags.begin(), flags.end());
    done(stage(run, words));
    return last(metrics_of(run, "moe"), "held_out");
  };
  const double still = bits("still", {"--bias-rate", "0"});
  EXPECT_NE(bits("moving", {"--bias-rate", "0.02"}), still);
  EXPECT_NE(bits("grouped", {"--bias-rate", "0", "--groups", "2"}), still);
  expect_refused(stage("x", {"--router", "bias_balanced", "--groups", "3"}), 2, "groups");
  expect_refused(stage("x", {"--router", "bias_balanced", "--groups", "4"}), 2,
                 "enough for 2 experts a token");
  Words scan = stage("x", {"--full", "--router", "bias_balanced", "--groups", "4", "--kept-groups", "2"});
  const auto experts = std::find(scan.begin(), scan.end(), "--experts");
  scan.erase(experts, experts + 2);  // the scan chooses
  expect_refused(scan, 2, "with 2 experts");
  EXPECT_FALSE(fs::exists(folder / "x")) << "before anything is trained";
}

// Held-out parts of the least possible size, whose only line end is their last byte.
TEST_F(Stage, TextsOfTheLeastSizeWork) {
  for (const std::string& domain : kDomains) put(folder / domain, std::string(257, 'x') + "\n");
  done(stage("run"));
}

TEST_F(Stage, StartingAgainWithoutResumeReplacesTheRun) {
  done(stage("run", {"--steps", "50"}));
  done(stage("run"));
  done(stage("fresh"));
  EXPECT_EQ(result_of("run"), result_of("fresh"));
}

TEST_F(Stage, AFileInTheWayOfTheRunIsLeftAlone) {
  fs::create_directory(folder / "run");
  put(folder / "run/dense", "precious");
  expect_refused(stage("run"), 4, (folder / "run/dense").string());
  EXPECT_EQ(contents(folder / "run/dense"), "precious");
}

TEST_F(Stage, AnOutThatCannotBeWrittenIsRefused) {
  put(folder / "file", "");
  expect_refused(stage("file/run"), 4, (folder / "file/run").string());
  expect_refused(stage("x", {"--out", "/proc/run"}), 4, "/proc/run");
}

TEST_F(Stage, WrongFlagsAreUsageErrorsThatSuggest) {
  expect_refused(stage("x", {"--step", "3"}), 2, "Did you mean --steps?");
  expect_refused(stage("x", {"--steps", "three"}), 2, "--steps");
  expect_refused(stage("x", {"--steps", "0"}), 2, "--steps");
  expect_refused(stage("x", {"--router", "best"}), 2, "--router");
  expect_refused(stage("x", {"--top-k", "5"}), 2, "--top-k 5 of 4 experts");
  expect_refused(stage("x", {"--quick", "--full"}), 2, "--quick");
  expect_refused(stage("x", {"--router", "switch", "--top-k", "2"}), 2, "this router takes --top-k 1");
  expect_refused(stage("x", {"--config", folder.string()}), 4, "cannot read");
  expect_refused(stage("x", {"--text", "nameless"}), 2, "nameless");
  expect_refused(stage("x", {"--device", "gpu"}), 2, "--device");
  EXPECT_FALSE(fs::exists(folder / "x")) << "a refused start leaves nothing";
}

#ifdef MOE_HAVE_EMULATED
// The same model in float and in bf16, on the CPU and on the emulated GPU: learnt alike, and the demo says how far they agree.
TEST_F(Stage, TheEmulatedDeviceLearnsWhatTheCpuLearns) {
  for (const std::string dtype : {"f32", "bf16"}) {
    done(stage("cpu-" + dtype, {"--device", "cpu", "--dtype", dtype}));
    const Ended ended = done(stage("gpu-" + dtype, {"--device", "emulated", "--dtype", dtype}));
    EXPECT_NE(ended.err.find("emulated against the CPU"), std::string::npos) << ended.err;
    for (const char* model : {"dense", "moe"})
      EXPECT_NEAR(last(metrics_of("gpu-" + dtype, model), "held_out"),
                  last(metrics_of("cpu-" + dtype, model), "held_out"), dtype == "f32" ? 2e-3 : 2e-2)
          << model << " in " << dtype;
  }
}
#endif

TEST_F(Stage, AGpuThatIsNotThereIsMissing) {
  expect_refused(stage("x", {"--device", "cuda:99"}), 3, "");
  EXPECT_FALSE(fs::exists(folder / "x"));
}

TEST_F(Stage, ATextThatCannotBeUsedIsABadFile) {
  put(folder / "empty", "");
  put(folder / "tiny", std::string(257, 'x'));
  fs::create_directory(folder / "directory");
  const auto refuses = [&](const std::string& name, const std::string& message) {
    expect_refused(stage("x", {"--text", "mine=" + (folder / name).string()}), 4, message);
  };
  refuses("empty", "empty");
  refuses("tiny", "needs at least 258");
  refuses("directory", "directory");
  refuses("nowhere", "nowhere");
  if (::geteuid() == 0) return;  // root reads everything
  put(folder / "secret", "x");
  fs::permissions(folder / "secret", fs::perms::none);
  refuses("secret", "secret");
}

TEST_F(Stage, ResumingWithOtherFlagsOrTextsIsRefusedAndNamesThem) {
  done(stage("run"));
  expect_refused(stage("run", {"--resume", "--seed", "2"}), 4, "seed 1, now it is 2");
  expect_refused(stage("run", {"--resume", "--lr", "0.001"}), 4, "learning_rate");
  expect_refused(stage("run", {"--resume", "--experts", "8"}), 4, "another configuration");
  std::ofstream(folder / "cpp", std::ios::app) << "more";
  expect_refused(stage("run", {"--resume"}), 4, "corpus");
}

// The scan chooses experts itself.
Words scan(Words words) {
  const auto experts = std::find(words.begin(), words.end(), "--experts");
  words.erase(experts, experts + 2);
  return words;
}

TEST_F(Stage, TheScanOverExpertsKeepsItsRunsAndRefusesOthers) {
  const Ended first = done(scan(stage("scan", {"--full", "--steps", "6"})));
  EXPECT_EQ(count(contents(folder / "scan/scan.csv"), "\n"), 6u) << "a heading, and 1, 2, 4, 8, 16 experts";
  EXPECT_NE(contents(folder / "scan/scan.svg").find("<svg"), std::string::npos);
  const std::string log = contents(folder / "scan/experts-8-seed-2/metrics.jsonl");
  const Ended second = done(scan(stage("scan", {"--full", "--steps", "6"})));
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(contents(folder / "scan/experts-8-seed-2/metrics.jsonl"), log) << "nothing is trained twice";
  expect_refused(stage("x", {"--full"}), 2, "--experts has no meaning with --full");
  expect_refused(scan(stage("x", {"--full", "--top-k", "4"})), 2, "--top-k 4");
  expect_refused(scan(stage("scan", {"--full", "--steps", "6", "--expert-width", "12"})), 4,
                 "another configuration");
}

TEST_F(Stage, HelpAndVersionAreForAnyone) {
  EXPECT_NE(done({kStage, "--help"}).out.find("--resume"), std::string::npos);
  EXPECT_NE(done({kStage, "--version"}).out.find("MoE Odyssey"), std::string::npos);
}

}  // namespace
}  // namespace moe::testing
