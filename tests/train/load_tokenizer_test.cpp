// A model and its tokenizer stay together.
#include "common/train/load_tokenizer.hpp"

#include <gtest/gtest.h>

#include "common/data/bpe_train.hpp"
#include "common/io/tokenizer_json.hpp"
#include "common/io/tokenizer_symbols.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

const std::string& sample_text() {
  static const std::string text = shuffled_words({"the ", "mo\xC3\xB6n ", "is ", "round\n"}, 3000, 1);
  return text;
}

std::shared_ptr<const BpeTokenizer> learnt(std::int64_t vocabulary) {
  const std::string_view view = sample_text();
  return std::make_shared<BpeTokenizer>(train_bpe(std::span(&view, 1), {.vocabulary = vocabulary}));
}

Corpus corpus_in(std::shared_ptr<const Tokenizer> tokenizer) {
  Corpus corpus{.domains = {}, .tokenizer = std::move(tokenizer)};
  DomainSource source;
  source.name = "tales";
  corpus.domains.push_back(make_domain(source, {sample_text()}, *corpus.tokenizer, kContext));
  return corpus;
}

struct Job {
  Context ctx{1};
  Corpus corpus;
  Trainer trainer;
  explicit Job(std::shared_ptr<const Tokenizer> tokenizer)
      : corpus(corpus_in(std::move(tokenizer))), trainer(ctx, config(corpus), small_settings(6), corpus) {}
  static LanguageModelConfig config(const Corpus& corpus) {
    LanguageModelConfig c = small_config(4);
    c.vocabulary = corpus.tokenizer->vocabulary();
    return c;
  }
  void steps(int n) {
    for (int i = 0; i < n; ++i) trainer.step(false);
  }
};

TEST(LoadTokenizer, ACheckpointBringsItsOwn) {
  const TemporaryDirectory run;
  const auto bpe = learnt(270);
  Job job(bpe);
  job.steps(1);
  job.trainer.save(run.path());
  EXPECT_EQ(load_tokenizer(run.path(), 270)->name(), bpe->name());
  EXPECT_EQ(load_tokenizer(run / "checkpoint-00000001", 270)->name(), bpe->name());
  EXPECT_EQ(read_tokenizer(run / "checkpoint-00000001"), bpe->model()) << "as Hugging Face lays it out";
}

TEST(LoadTokenizer, ResumingOnIdsAbove255IsBitIdentical) {
  const TemporaryDirectory run;
  Job whole(learnt(270)), first(learnt(270)), second(learnt(270));
  whole.steps(6);
  first.steps(3);
  first.trainer.save(run.path());
  second.trainer.load(run.path());
  second.steps(3);
  EXPECT_TRUE(same_bytes(parameters_of(second.trainer.model()), parameters_of(whole.trainer.model())));
}

TEST(LoadTokenizer, ResumingWithAnotherIsRefusedByName) {
  const TemporaryDirectory run;
  Job job(learnt(270));
  job.steps(1);
  job.trainer.save(run.path());
  Job bytes(std::make_shared<ByteTokenizer>()), longer(learnt(271));
  EXPECT_TRUE(says(complaint([&] { bytes.trainer.load(run.path()); }), "4:", "now it is \"byte\""));
  EXPECT_TRUE(says(complaint([&] { longer.trainer.load(run.path()); }),
                   "4:", "was trained with tokenizer \"bpe-270-"));
}

TEST(LoadTokenizer, BytesNeedNoFile) {
  const TemporaryDirectory run;
  Job job(std::make_shared<ByteTokenizer>());
  job.steps(1);
  job.trainer.save(run.path());
  EXPECT_FALSE(std::filesystem::exists(run / "checkpoint-00000001/tokenizer.json"));
  EXPECT_EQ(load_tokenizer(run.path(), 256)->name(), "byte");
}

TEST(LoadTokenizer, ADamagedFileIsRefused) {
  const TemporaryDirectory run;
  Job job(learnt(270));
  job.steps(1);
  job.trainer.save(run.path());
  const auto file = run / "checkpoint-00000001/tokenizer.json";
  std::string text = contents(file);
  text[text.size() / 2] ^= 1;
  put(file, text);
  EXPECT_TRUE(says(complaint([&] { load_tokenizer(run.path(), 270); }), "4:", "tokenizer.json"));
  EXPECT_TRUE(says(complaint([&] { job.trainer.load(run.path()); }), "4:", "tokenizer.json"));
}

TEST(LoadTokenizer, AForeignModelMayHaveMoreIdsThanItsTokenizer) {
  const TemporaryDirectory directory;
  const auto bpe = learnt(270);
  write_tokenizer_json(directory / "tokenizer.json", bpe->model());
  for (const std::int64_t vocabulary : {270, 271, 320})
    EXPECT_EQ(load_tokenizer(directory.path(), vocabulary)->name(), bpe->name());
  EXPECT_TRUE(says(complaint([&] { load_tokenizer(directory.path(), 269); }),
                   "4:", "has 270 tokens, its model only 269"));
}

TEST(LoadTokenizer, AForeignModelMayHaveTheTwoFilesOfGpt2) {
  const TemporaryDirectory directory;
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string symbol = symbols_of_bytes(std::string(1, static_cast<char>(byte)));
    const bool escaped = symbol == "\"" || symbol == "\\";
    vocabulary += concat(byte ? ", " : "{", "\"", escaped ? "\\" : "", symbol, "\": ", byte);
  }
  put(directory / "vocab.json", vocabulary + ", \"ab\": 256}");
  put(directory / "merges.txt", "a b\n");
  EXPECT_EQ(load_tokenizer(directory.path(), 300)->encode("abc").size(), 2u);
}

TEST(LoadTokenizer, AModelOfManyTokensWithoutATokenizerIsRefused) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(says(complaint([&] { load_tokenizer(directory.path(), 32000); }), "4:", "has no tokenizer"));
  EXPECT_EQ(load_tokenizer(directory.path(), 256)->name(), "byte");
}

}  // namespace
}  // namespace moe
