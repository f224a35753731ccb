#include "common/data/corpus.hpp"

#include <zlib.h>

#include <algorithm>
#include <set>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr std::size_t kEvery = 20;  // one file, or one token, in so many is held out

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

[[noreturn]] void report_missing(const std::vector<const DomainSource*>& missing) {
  std::string what = "these packages are not installed:";
  for (const DomainSource* row : missing)
    what += concat("\n    ", row->package, " (domain '", row->name, "')");
  throw UserError(ExitCode::missing, what, install_command(missing));
}

// Whole files go to either part, or the tail of each file is held out: `least` tokens of all files together.
void split(Domain& domain, const std::vector<std::vector<Token>>& files, std::size_t least) {
  const std::size_t share = (least + files.size() - 1) / files.size();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& tokens = files[i];
    std::size_t tail = std::min(tokens.size(), std::max(tokens.size() / kEvery, share));
    if (files.size() >= kEvery) tail = i % kEvery == kEvery - 1 ? tokens.size() : 0;
    const auto cut = tokens.end() - static_cast<std::ptrdiff_t>(tail);
    domain.train.insert(domain.train.end(), tokens.begin(), cut);
    domain.held_out.insert(domain.held_out.end(), cut, tokens.end());
  }
}

void check_size(const Domain& domain, std::size_t least) {
  const std::size_t tokens = domain.train.size() + domain.held_out.size();
  if (tokens == 0)
    throw UserError(ExitCode::bad_file, concat("domain '", domain.name, "' (", domain.source, ") is empty"),
                    "name a file of text");
  if (domain.train.size() >= least && domain.held_out.size() >= least) return;
  const double bytes_per_token = static_cast<double>(domain.bytes) / static_cast<double>(tokens);
  throw UserError(ExitCode::bad_file,
                  concat("domain '", domain.name, "' (", domain.source, ") has ", domain.bytes,
                         " bytes; a context of ", least - 1, " needs at least ",
                         static_cast<std::int64_t>(2 * static_cast<double>(least) * bytes_per_token + 0.999)),
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
  MOE_CHECK(context >= 1, "context ", context);
  Domain domain;
  domain.name = source.name;
  domain.source = source.source;
  domain.licence = source.licence;
  std::vector<std::vector<Token>> files;
  for (const std::string& text : texts) {
    domain.bytes += static_cast<std::int64_t>(text.size());
    files.push_back(tokenizer.encode(text));
  }
  const std::size_t least = static_cast<std::size_t>(context) + 1;
  if (!files.empty()) split(domain, files, least);
  check_size(domain, least);
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
                    std::shared_ptr<const Tokenizer> tokenizer) {
  Corpus corpus{.domains = {}, .tokenizer = std::move(tokenizer)};
  std::vector<const DomainSource*> missing;
  for (const DomainSource& source : sources) {
    const auto texts = read_texts(source);
    if (texts.empty())
      missing.push_back(&source);
    else
      corpus.domains.push_back(make_domain(source, texts, *corpus.tokenizer, context));
  }
  if (!missing.empty()) report_missing(missing);
  return corpus;
}

Corpus load_corpus(const CorpusOptions& options, std::shared_ptr<const Tokenizer> tokenizer) {
  return load_sources(choose_sources(options), options.context, std::move(tokenizer));
}

std::uint32_t fingerprint(const Corpus& corpus) {
  std::uint32_t crc = add_to_crc(0, corpus.tokenizer->name());
  for (const Domain& domain : corpus.domains)
    crc = add_to_crc(add_to_crc(add_to_crc(crc, domain.name), domain.train), domain.held_out);
  return crc;
}

}  // namespace moe
