// The table. A new domain is a new row, and a row in docs/attribution.md.
#include "common/data/domain_source.hpp"

namespace moe {
namespace {

constexpr std::int64_t kLimit = 4 << 20;
const char* const kBook = "Debian Reference, Osamu Aoki and translators";

// Newer packages (Ubuntu 24.04) keep it with the documentation.
DomainSource book(const std::string& name, const std::string& language) {
  const std::string file = "/debian-reference." + language + ".txt";
  const std::string old_place = "/usr/share/debian-reference" + file,
                    new_place = "/usr/share/doc/debian-reference-common/docs" + file;
  return {.name = name,
          .where = {old_place + ".gz", old_place, new_place + ".gz", new_place},
          .arguments = "",
          .strip = strip_layout,
          .package = "debian-reference-" + language,
          .source = kBook,
          .licence = "GPL-2+",
          .limit = kLimit};
}

}  // namespace

const std::vector<DomainSource>& default_domains() {
  static const std::vector<DomainSource> table = {
      // clang-format off
      {"cpp", {"/usr/include/c++/*/bits/*.{h,tcc}"}, "", strip_leading_comments,
       "g++", "GNU C++ library headers", "GPL-3+ with GCC runtime library exception", kLimit},
      {"dictionary", {"/usr/share/wordnet/data.{adj,adv,noun,verb}"}, "", strip_to_gloss,
       "wordnet-base", "WordNet 3.0, Princeton University", "WordNet 3.0 licence", kLimit},
      {"scripture", {"/usr/bin/bible", "/usr/games/bible"}, "-f gen1:1-rev22:21", strip_verse_reference,
       "bible-kjv", "King James Version", "public domain (see docs/attribution.md)", kLimit},
      // clang-format on
      book("english", "en"),
      book("german", "de"),
      book("japanese", "ja"),
  };
  return table;
}

}  // namespace moe
