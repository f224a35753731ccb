// `moe generate` on a checkpoint that stage 1.7 wrote, and the program among other programs.
#include "tests/sessions/support.hpp"

namespace moe::testing {
namespace {

class Generate : public Session {
 protected:
  Generate() { done(stage("run", {"--steps", "120", "--quiet"})); }
  Words generate(const Words& more, const std::string& model = "moe") const {
    Words words = {kProgram,   "generate", "--ckpt",    (folder / "run" / model).string(),
                   "--tokens", "30",       "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static std::string without_brackets(const std::string& routed) {
    std::string text;
    bool inside = false;
    for (const char c : routed) {
      if (c == '[') inside = true;
      if (!inside) text += c;
      if (c == ']') inside = false;
    }
    return text;
  }
};

TEST_F(Generate, ContinuesThePromptTheSameWayForTheSameSeed) {
  for (const char* model : {"moe", "dense"}) {
    const std::string text = done(generate({"--prompt", "the LORD"}, model)).out;
    EXPECT_TRUE(text.starts_with("the LORD")) << text;
    EXPECT_GT(text.size(), 30u);
    EXPECT_TRUE(text.ends_with("\n"));
    EXPECT_EQ(done(generate({"--prompt", "the LORD"}, model)).out, text);
    EXPECT_NE(done(generate({"--prompt", "the LORD", "--seed", "2"}, model)).out, text);
  }
}

TEST_F(Generate, ShowRoutingIsTheSameTextWithExperts) {
  const std::string plain = done(generate({"--prompt", "the LORD"})).out;
  const std::string routed = done(generate({"--prompt", "the LORD", "--show-routing"})).out;
  EXPECT_EQ(without_brackets(routed), plain);
  EXPECT_NE(routed.find('['), std::string::npos);
  EXPECT_EQ(routed.find("[-"), std::string::npos) << "a token without experts shows none";
  EXPECT_NE(done(generate({"--prompt", "the LORD", "--show-routing", "--layer", "1"})).out, routed);
}

TEST_F(Generate, AnswersEveryLineOfItsInput) {
  const std::string out = done(generate({}), "the LORD\nint x\n").out;
  EXPECT_TRUE(out.starts_with("the LORD")) << out;
  EXPECT_NE(out.find("\nint x"), std::string::npos) << out;
  EXPECT_EQ(done(generate({}), "").out, "");
}

TEST_F(Generate, TakesAPromptOfAnyLengthAndAnyBytes) {
  done(generate({"--prompt", std::string(1000, 'x')}));
  done(generate({"--prompt", "\xff\xfe\x80 é"}));
}

TEST_F(Generate, WhatMakesNoSenseIsAUsageError) {
  expect_refused(generate({"--prompt", "x", "--show-routing"}, "dense"), 2, "dense model");
  expect_refused(generate({"--prompt", "x", "--show-routing", "--layer", "3"}), 2, "--layer 3");
  expect_refused(generate({"--prompt", ""}), 2, "--prompt");
  expect_refused(generate({"--promt", "x"}), 2, "Did you mean --prompt?");
  expect_refused({kProgram, "generate"}, 2, "--ckpt");
}

TEST_F(Generate, ACheckpointThatIsDamagedOrAbsentIsABadFile) {
  const fs::path model = folder / "run/moe/checkpoint-00000120/model.safetensors";
  std::string bytes = contents(model);
  bytes[bytes.size() / 2] ^= 1;
  put(model, bytes);
  expect_refused(generate({"--prompt", "x"}), 4, "model.safetensors");
  expect_refused(generate({"--prompt", "x"}, "nowhere"), 4, "nowhere");
  expect_refused({kProgram, "generate", "--ckpt", folder.string(), "--prompt", "x"}, 4,
                 "no finished checkpoint");
}

class Program : public Session {};

TEST_F(Program, AReaderThatGoesAwayIsNoError) {
  const Ended ended = run({"bash", "-c", "'" + kProgram + "' list | head -n 1; exit ${PIPESTATUS[0]}"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("Session 1"));
  EXPECT_EQ(ended.err, "");
}

TEST_F(Program, StageAndDemoAreTheStageProgram) {
  const std::string help = done({kStage, "--help"}).out;
  EXPECT_EQ(done({kProgram, "stage", "1.7", "--help"}).out, help);
  EXPECT_EQ(done({kProgram, "demo", "1", "--help"}).out, help);
}

}  // namespace
}  // namespace moe::testing
