// Where text comes from: one table of domains, each a row that names a package of the system, and one reader.
// Nothing is downloaded and nothing is copied into this project (docs/attribution.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/data/strip.hpp"

namespace moe {

struct DomainSource {
  std::string name;                // "german"; letters, digits, '-' and '_'
  std::vector<std::string> where;  // patterns; the first that matches any file is taken (see below)
  std::string arguments;  // not empty: `where` is a program, its output with these arguments is the text
  StripFunction* strip = keep_all;
  std::string package;     // of Debian and Ubuntu; empty: a user's own file, `where[0]` is its literal path
  std::string source;      // who made the text
  std::string licence;     // of the text
  std::int64_t limit = 0;  // bytes after stripping; 0: no limit
};
// A pattern is a glob with {a,b} alternatives. Wild cards before the last slash choose one directory, the one
// of the highest version that has a match: two versions of a library are the same text twice, in training and
// held out.

// The default domains, in the order in which the corpus holds them.
const std::vector<DomainSource>& default_domains();

// "apt-get install wordnet-base"
std::string install_command(const std::vector<const DomainSource*>& sources);

// "name=path" (the value of --text) as a domain. UserError usage where it is malformed.
DomainSource parse_text_argument(const std::string& argument);

// The text, one string a file in order of path, stripped, at most `limit` bytes together (evenly_spread).
// Empty when the package is not installed. UserError bad_file: unreadable, or a directory, or not found (own
// files).
std::vector<std::string> read_texts(const DomainSource& source);

// A plain file or, recognised by its first bytes, a gzip file. UserError bad_file: not found, a directory,
// unreadable, broken gzip, more than 256 MiB.
std::string read_file(const std::string& path);

// At most about limit bytes of the text, as blocks of 16 KiB cut at ends of lines and spread evenly over all
// of it: the first bytes of a dictionary would be all A. Never more than limit; the whole text when it fits.
std::string evenly_spread(const std::string& text, std::int64_t limit);

}  // namespace moe
