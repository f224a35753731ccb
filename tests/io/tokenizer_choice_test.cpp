#include "common/io/tokenizer_choice.hpp"

#include "common/data/bpe_train.hpp"
#include "common/io/tokenizer_json.hpp"
#include "tests/io/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

constexpr std::string_view kText = "the other moon, the other sun, the other day";

std::shared_ptr<const Tokenizer> made(const std::string& choice) {
  return tokenizer_maker(choice, true)(std::span(&kText, 1));
}

TEST(TokenizerChoice, BytesAndABpeThatIsLearnt) {
  EXPECT_EQ(made("byte")->name(), "byte");
  const auto bpe = made("bpe:260");
  EXPECT_EQ(bpe->vocabulary(), 260);
  EXPECT_EQ(bpe->name(), BpeTokenizer(train_bpe(std::span(&kText, 1), {.vocabulary = 260})).name());
  EXPECT_EQ(made("bpe:257")->vocabulary(), 257);
  EXPECT_LT(made("bpe:65536")->vocabulary(), 300) << "no more than the text has";
}

TEST(TokenizerChoice, FilesAreReadAtOnce) {
  const TemporaryDirectory directory;
  const BpeModel model = train_bpe(std::span(&kText, 1), {.vocabulary = 262});
  write_tokenizer_json(directory / "tokenizer.json", model);
  const TokenizerMaker from_file = tokenizer_maker((directory / "tokenizer.json").string(), true);
  const TokenizerMaker from_directory = tokenizer_maker(directory.path().string(), true);
  std::filesystem::remove(directory / "tokenizer.json");
  EXPECT_EQ(from_file({})->name(), BpeTokenizer(model).name());
  EXPECT_EQ(from_directory({})->name(), BpeTokenizer(model).name());
  EXPECT_TRUE(says(complaint([&] { tokenizer_maker(directory.path().string(), true); }),
                   "has neither tokenizer.json nor vocab.json"));
  EXPECT_TRUE(says(complaint([&] { tokenizer_maker((directory / "absent").string(), true); }), "absent"));
}

TEST(TokenizerChoice, ANumberOfTokensIsANumber) {
  for (const char* number : {"", "x", "256", "65537", "-300", "1e3", "300 ", "99999999999999999999"}) try {
      tokenizer_maker(std::string("bpe:") + number, true);
      ADD_FAILURE() << number;
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_TRUE(says(error.what(), "choose 257 to 65536"));
    }
}

}  // namespace
}  // namespace moe
