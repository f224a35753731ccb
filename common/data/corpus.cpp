#include "common/data/corpus.hpp"

#include <zlib.h>

#include <algorithm>
#include <set>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr std::size_t kEvery = 20;  // one file, or one byte, in so many is held out

// --domains: the chosen rows of the table, in the table's order.
std::vector<DomainSource> chosen_defaults(const std::optional<std::vector<std::string>>& names) {
  if (!names) return default_domains();
  std::vector<DomainSource> chosen;
  std::set<std::string> unknown(names->begin(), names->end());
  std::string known;
  for (const DomainSource& row : default_domains()) {
    if (std::find(names->begin(), names->end(), row.name) != names->end()) chosen.push_back(row);
    unknown.erase(row.name);
    known += " " + row.name;
  }
  if (!unknown.empty())
    throw UserError(ExitCode::usage, concat("there is no domain '", *unknown.begin(), "'"),
                    "choose among:" + known);
  return chosen;
}

void add_texts(std::vector<DomainSource>& sources, const std::vector<std::string>& arguments) {
  std::set<std::string> seen;
  for (const std::string& argument : arguments) {
    DomainSource own = parse_text_argument(argument);
    if (!seen.insert(own.name).second)
      throw UserError(ExitCode::usage, concat("--text names '", own.name, "' twice"),
                      "give each text its own name");
    const auto same = [&](const DomainSource& row) { return row.name == own.name; };
    const auto row = std::find_if(sources.begin(), sources.end(), same);
    if (row == sources.end())
      sources.push_back(std::move(own));
    else
      *row = std::move(own);
  }
}

bool lies_with_documentation(const DomainSource* row) {
  return row->where.back().starts_with("/usr/share/doc/");
}

[[noreturn]] void report_missing(const std::vector<const DomainSource*>& missing) {
  std::string what = "these packages are not installed:";
  for (const DomainSource* row : missing)
    what += concat("\n    ", row->package, " (domain '", row->name, "')");
  std::string remedy = install_command(missing);
  if (std::any_of(missing.begin(), missing.end(), lies_with_documentation))
    remedy +=
        "\n  Installed, but without documentation, as in container images? Add to that\n  "
        "  --reinstall -o Dpkg::Options::=--path-include='/usr/share/doc/*'";
  throw UserError(ExitCode::missing, what, remedy);
}

struct Parts {
  std::string_view train, held_out;
};

// Each text in its two parts. Whole texts go to either, or the tail of each is held out: `least` bytes of all together.
std::vector<Parts> split(const std::vector<std::string>& texts, std::size_t least) {
  std::vector<Parts> parts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i];
    const std::size_t share = (least + texts.size() - 1) / texts.size();
    std::size_t tail = std::min(text.size(), std::max(text.size() / kEvery, share));
    if (texts.size() >= kEvery) tail = i % kEvery == kEvery - 1 ? text.size() : 0;
    parts.push_back({text.substr(0, text.size() - tail), text.substr(text.size() - tail)});
  }
  return parts;
}

void append(std::vector<Token>& tokens, const std::vector<Token>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

std::size_t window_of(std::int64_t context) {
  MOE_CHECK(context >= 1, "context ", context);
  return static_cast<std::size_t>(context) + 1;
}

void check_size(const Domain& domain, std::size_t least) {
  const std::size_t tokens = domain.train.size() + domain.held_out.size();
  if (tokens == 0)
    throw UserError(ExitCode::bad_file, concat("domain '", domain.name, "' (", domain.source, ") is empty"),
                    "name a file of text");
  if (domain.train.size() >= least && domain.held_out.size() >= least) return;
  const double bytes_per_token = static_cast<double>(domain.bytes) / static_cast<double>(tokens);
  // Tokens longer than a byte may leave the held-out part, a twentieth, short of a window.
  const double windows = bytes_per_token > 1 ? static_cast<double>(kEvery) : 2;
  throw UserError(
      ExitCode::bad_file,
      concat("domain '", domain.name, "' (", domain.source, ") has ", domain.bytes, " bytes; a context of ",
             least - 1, " needs at least ",
             static_cast<std::int64_t>(windows * static_cast<double>(least) * bytes_per_token + 0.999)),
      "take a longer text or a shorter context");
}

std::uint32_t add_to_crc(std::uint32_t crc, const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(::crc32_z(crc, static_cast<const Bytef*>(data), bytes));
}

std::uint32_t add_to_crc(std::uint32_t crc,
                         const std::string& text) {  // with its 0: "a","bc" is not "ab","c"
  return add_to_crc(crc, text.c_str(), text.size() + 1);
}

std::uint32_t add_to_crc(std::uint32_t crc, const std::vector<Token>& tokens) {
  const std::uint64_t size = tokens.size();
  return add_to_crc(add_to_crc(crc, &size, sizeof size), tokens.data(), tokens.size() * sizeof(Token));
}

}  // namespace

Domain make_domain(const DomainSource& source, const std::vector<std::string>& texts,
                   const Tokenizer& tokenizer, std::int64_t context) {
  Domain domain;
  domain.name = source.name;
  domain.source = source.source;
  domain.licence = source.licence;
  for (const auto& [train, held_out] : split(texts, window_of(context))) {
    domain.bytes += static_cast<std::int64_t>(train.size() + held_out.size());
    append(domain.train, tokenizer.encode(train));
    append(domain.held_out, tokenizer.encode(held_out));
  }
  check_size(domain, window_of(context));
  return domain;
}

std::vector<DomainSource> choose_sources(const CorpusOptions& options) {
  std::vector<DomainSource> sources = chosen_defaults(options.domains);
  add_texts(sources, options.texts);
  if (sources.empty())
    throw UserError(ExitCode::usage, "no text to learn from",
                    "choose a domain, or add one: --text name=path");
  return sources;
}

Corpus load_sources(const std::vector<DomainSource>& sources, std::int64_t context,
                    const TokenizerMaker& make_tokenizer) {
  std::vector<std::vector<std::string>> texts;  // of each source
  std::vector<const DomainSource*> missing;
  std::vector<std::string_view> training;
  for (const DomainSource& source : sources) {
    texts.push_back(read_texts(source));
    if (texts.back().empty()) missing.push_back(&source);
  }
  if (!missing.empty()) report_missing(missing);
  for (const auto& files : texts)
    for (const Parts& parts : split(files, window_of(context))) training.push_back(parts.train);
  Corpus corpus{.domains = {}, .tokenizer = make_tokenizer(training)};
  for (std::size_t i = 0; i < sources.size(); ++i)
    corpus.domains.push_back(make_domain(sources[i], texts[i], *corpus.tokenizer, context));
  return corpus;
}

Corpus load_corpus(const CorpusOptions& options, const TokenizerMaker& make_tokenizer) {
  return load_sources(choose_sources(options), options.context, make_tokenizer);
}

std::uint32_t fingerprint(const Corpus& corpus) {
  std::uint32_t crc = add_to_crc(0, corpus.tokenizer->name());
  for (const Domain& domain : corpus.domains)
    crc = add_to_crc(add_to_crc(add_to_crc(crc, domain.name), domain.train), domain.held_out);
  return crc;
}

}  // namespace moe
