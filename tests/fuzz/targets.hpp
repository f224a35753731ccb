// What the fuzzers feed: one function for each kind of file that may come from strangers.
//
// `run` takes any bytes. It returns whether they were accepted, and throws UserError where they are refused, as the parser
// does. All else is a finding: another exception, a fault that a sanitizer sees, a broken promise (what was accepted is written and
// read back the same; a tokenizer gives back the text that it encoded).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moe::fuzz {

struct Target {
  const char* name;
  bool (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();  // inputs that are accepted, each another form
};

std::span<const Target> targets();
const Target& find_target(std::string_view name);  // Error: none

// Whether `input` was accepted; refusals with UserError(bad_file) are swallowed, everything else passes.
bool survives(const Target& target, std::string_view input);

// "F" + a whole file, or "H" + a header + "\n" + as many bytes as the data that it describes.
bool run_safetensors(std::string_view input);
std::vector<std::string> safetensors_seeds();

// A tokenizer.json, or "V" + vocab.json + "\x01" + merges.txt.
bool run_tokenizer(std::string_view input);
std::vector<std::string> tokenizer_seeds();

// A config.json; or "M" + a checkpoint's manifest, or "S" + one whose checksum is put right before it is read, since no
// fuzzer guesses a CRC-32.
bool run_config(std::string_view input);
std::vector<std::string> config_seeds();

}  // namespace moe::fuzz
