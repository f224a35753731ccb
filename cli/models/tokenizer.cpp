// `moe tokenizer train|encode|decode`: learns a byte-level BPE from a text, and applies one.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/models/models.hpp"
#include "common/app/flags.hpp"
#include "common/data/bpe_train.hpp"
#include "common/io/tokenizer_json.hpp"

namespace moe {
namespace {

constexpr std::uint64_t kMostText = std::uint64_t{1} << 30;  // bytes

std::string read_input(const std::string& path) {
  if (!path.empty()) return read_text_file(path, kMostText);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

int train(int argc, char** argv) {
  BpeTrainOptions options;
  std::string text, out;
  Flags flags("moe tokenizer train",
              "Learns a byte-level BPE and writes it as Hugging Face's tokenizer.json.",
              "moe tokenizer train --text book.txt --out tokenizer.json");
  flags.add("--text", text, "file to learn from; without it, standard input");
  flags.add("--out", out, "file to write", required());
  flags.add("--vocabulary", options.vocabulary, "most tokens: bytes, merged and special ones",
            between(257, 65536));
  flags.add("--least-count", options.least_count, "rarer pairs are not merged", between(1, 1000000));
  flags.parse(argc, argv);

  const std::string bytes = read_input(text);
  const std::string_view view = bytes;
  const BpeTokenizer tokenizer(train_bpe(std::span(&view, 1), options));
  write_tokenizer_json(out, tokenizer.model());
  const std::size_t tokens = tokenizer.encode(bytes).size();
  std::printf("%s: %lld tokens, %zu merges; the text: %zu bytes, %zu tokens, %.2f bytes a token\n",
              out.c_str(), static_cast<long long>(tokenizer.vocabulary()), tokenizer.model().merges.size(),
              bytes.size(), tokens,
              tokens ? static_cast<double>(bytes.size()) / static_cast<double>(tokens) : 0.0);
  return 0;
}

int encode(int argc, char** argv) {
  std::string path, text;
  Flags flags("moe tokenizer encode", "Prints the ids of a text, separated by spaces.",
              "echo Hello | moe tokenizer encode --tokenizer tokenizer.json");
  flags.add("--tokenizer", path, "a tokenizer.json, or a directory with it or with vocab.json and merges.txt",
            required());
  flags.add("--text", text, "file to encode; without it, standard input");
  flags.parse(argc, argv);

  const char* separator = "";
  for (const Token token : BpeTokenizer(read_tokenizer(path)).encode(read_input(text))) {
    std::printf("%s%d", separator, int{token});
    separator = " ";
  }
  std::printf("\n");
  return 0;
}

int decode(int argc, char** argv) {
  std::string path;
  Flags flags("moe tokenizer decode", "Writes the text of the ids on standard input.",
              "echo 72 101 | moe tokenizer decode --tokenizer tokenizer.json");
  flags.add("--tokenizer", path, "a tokenizer.json, or a directory with it or with vocab.json and merges.txt",
            required());
  flags.parse(argc, argv);

  const BpeTokenizer tokenizer(read_tokenizer(path));
  std::vector<Token> tokens;
  for (std::string word; std::cin >> word;) {
    const bool number = word.size() <= 5 && word.find_first_not_of("0123456789") == word.npos;
    if (!number || std::stol(word) >= tokenizer.vocabulary())
      throw UserError(ExitCode::usage, "standard input: " + quote(word) + " is no token",
                      concat("give ids of 0 to ", tokenizer.vocabulary() - 1));
    tokens.push_back(static_cast<Token>(std::stol(word)));
  }
  const std::string text = tokenizer.decode(tokens);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace

int tokenizer_main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == "train") return train(argc - 1, argv + 1);
  if (word == "encode") return encode(argc - 1, argv + 1);
  if (word == "decode") return decode(argc - 1, argv + 1);
  const bool help = word.empty() || word == "--help" || word == "-h";
  if (!help)
    throw UserError(ExitCode::usage, concat("moe tokenizer has no '", word, "'"),
                    "choose train, encode or decode");
  std::printf(
      "usage: moe tokenizer train|encode|decode [OPTIONS]      moe tokenizer train --help shows its "
      "options\n");
  return 0;
}

}  // namespace moe
