// --tokenizer from training to report and generation.
#include "tests/sessions/support.hpp"

namespace moe::testing {
namespace {

class TokenizerFlag : public Session {
 protected:
  TokenizerFlag() {  // long enough for a window of held-out tokens
    const Words words = {"w\xC3\xB6rter ", "sind ", "l\xC3\xA4nger ", "als ", "bytes\n"};
    for (std::size_t d = 0; d < kDomains.size(); ++d) put(folder / kDomains[d], shuffled(words, 4000, d));
  }
  Words bpe(const std::string& out, Words more = {}) const {
    more.insert(more.begin(), {"--tokenizer", "bpe:280"});
    return stage(out, more);
  }
  Words generate(const std::string& model, const Words& more = {}) const {
    Words words = {kProgram,    "generate", "--ckpt",   (folder / model).string(), "--tokens", "20",
                   "--threads", "1",        "--prompt", "sind w\xC3\xB6rter"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  fs::path checkpoint(const std::string& out) const { return folder / out / "moe/checkpoint-00000040"; }
};

TEST_F(TokenizerFlag, TrainsReportsAndGeneratesInItsTokens) {
  done(bpe("run", {"--quiet"}));
  const std::string config = contents(checkpoint("run") / "config.json");
  EXPECT_NE(config.find("\"vocab_size\": 280"), std::string::npos) << config;
  EXPECT_TRUE(fs::exists(checkpoint("run") / "tokenizer.json"));
  const std::string report = contents(folder / "run/report.html");
  EXPECT_NE(report.find(">w\xC3\xB6rter</i>"), std::string::npos) << "a piece of seven bytes, one token";
  EXPECT_NE(report.find("nats a token"), std::string::npos);
  EXPECT_NE(report.find("bpe-280-"), std::string::npos);
  const std::string text = done(generate("run/moe")).out;
  EXPECT_TRUE(text.starts_with("sind w\xC3\xB6rter")) << text;
  const std::string routed = done(generate("run/moe", {"--show-routing"})).out;
  EXPECT_TRUE(routed.starts_with("sind")) << routed;
}

TEST_F(TokenizerFlag, IsTheSameForEveryThreadCountAndAfterAPause) {
  done(bpe("one", {"--quiet"}));
  done(bpe("two", {"--quiet", "--threads", "3"}));
  EXPECT_EQ(result_of("one"), result_of("two"));
  const std::string before = result_of("one");
  done(bpe("one", {"--quiet", "--resume"}));
  EXPECT_EQ(result_of("one"), before);
}

TEST_F(TokenizerFlag, TakesAFileAndRefusesAnotherWhenResumed) {
  done(bpe("first", {"--quiet"}));
  const std::string file = (checkpoint("first") / "tokenizer.json").string();
  done(stage("second", {"--tokenizer", file, "--quiet"}));
  EXPECT_EQ(result_of("second"), result_of("first")) << "the same tokens, learnt or read";
  expect_refused(stage("second", {"--resume"}), 4, "was trained with tokenizer \"bpe-280-");
  expect_refused(stage("second", {"--resume", "--tokenizer", "bpe:270", "--quiet"}), 4,
                 "now it is \"bpe-270-");
}

TEST_F(TokenizerFlag, NamesWhatIsWrong) {
  expect_refused(stage("run", {"--tokenizer", "bpe:12"}), 2, "choose 257 to 65536");
  expect_refused(stage("run", {"--tokenizer", (folder / "absent.json").string()}), 4, "absent.json");
  put(folder / "text.json", "{\"model\": 1}");
  expect_refused(stage("run", {"--tokenizer", (folder / "text.json").string()}), 4, "text.json");
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(TokenizerFlag, LearningShowsItsProgress) {
  EXPECT_NE(done(bpe("run", {"--steps", "2"})).err.find("vocabulary: token"), std::string::npos);
}

}  // namespace
}  // namespace moe::testing
