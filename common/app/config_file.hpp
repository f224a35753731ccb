// Configuration files: a part of TOML.
//
//   # a comment
//   steps = 600
//   text = ["kjv=/data/kjv.txt", "log=my.log"]   # quotes are needed around # , [ ] only
//   top_k = 2                                     # the same as top-k
#pragma once

#include <string>
#include <vector>

namespace moe {

struct Setting {
  std::string key;  // with - for _
  std::vector<std::string> values;
  int line;
};

// Throws UserError(bad_file) with file and line.
std::vector<Setting> read_config_file(const std::string& path);
std::vector<Setting> parse_config(const std::string& text, const std::string& path);

}  // namespace moe
