// Corpus: text of clearly different domains as tokens, each domain in two parts that share no byte.
//
// Held out:  of a domain of 20 files or more, every 20th file whole; of fewer, the last 5 % of each file.
// Never less
//            than one window of bytes (context + 1).
// Training:  the rest. Files follow one another without a separator.
//
// The cut is between bytes, before anything is encoded: under every tokenizer the same text is held out, so that bits per
// byte compare.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/data/domain_source.hpp"
#include "common/data/tokenizer.hpp"

namespace moe {

struct Domain {
  std::string name, source, licence;
  std::vector<Token> train, held_out;
  std::int64_t bytes = 0;  // of text, both parts
};

struct Corpus {
  std::vector<Domain> domains;
  std::shared_ptr<const Tokenizer> tokenizer = std::make_shared<ByteTokenizer>();
};

// Gives the tokenizer once the training parts of all texts are known, which it may learn from; it never sees held-out text.
using TokenizerMaker =
    std::function<std::shared_ptr<const Tokenizer>(std::span<const std::string_view> training)>;
inline std::shared_ptr<const Tokenizer> make_byte_tokenizer(std::span<const std::string_view>) {
  return std::make_shared<ByteTokenizer>();
}

struct CorpusOptions {
  std::int64_t context = 128;                       // T: each part must hold at least T + 1 tokens
  std::optional<std::vector<std::string>> domains;  // names among default_domains(); not set: all of them
  std::vector<std::string> texts;  // "name=path": adds a domain, or replaces one of that name
};

// Reads, strips, splits and encodes. In bytes about 0.25 s for the six default domains; two bytes of memory a token.
// UserError  usage     malformed or doubled --text, unknown domain, no domain left
//            missing   packages that are not installed; the last line of what() is the command that installs
//            all bad_file  a text that is empty, too small for the context, or not readable
Corpus load_corpus(const CorpusOptions& options, const TokenizerMaker& make_tokenizer = make_byte_tokenizer);

// Its two halves: which sources the options mean, and reading them.
std::vector<DomainSource> choose_sources(const CorpusOptions& options);
Corpus load_sources(const std::vector<DomainSource>& sources, std::int64_t context,
                    const TokenizerMaker& make_tokenizer = make_byte_tokenizer);

// Splits the texts (one a file) of one source. UserError bad_file as above.
Domain make_domain(const DomainSource& source, const std::vector<std::string>& texts,
                   const Tokenizer& tokenizer, std::int64_t context);

// CRC-32 of tokenizer, names and all tokens: a checkpoint stores it, so that resuming on other text is
// refused.
std::uint32_t fingerprint(const Corpus& corpus);

}  // namespace moe
