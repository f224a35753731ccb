// A byte-level BPE as Hugging Face's tokenizer.json, or as GPT-2's two files vocab.json and merges.txt.
//
// In files a byte is the character symbol_of_byte() of it. Written: model BPE, pre-tokenizer and decoder ByteLevel without a
// prefix space, merges as "left right", which every version of the Python library reads. Read: the same, and merges as
// pairs. What would make other ids than ours (another pre-tokenizer, a normalizer, dropout, byte fallback, ignore_merges, a
// vocabulary above 65,536, ...) is refused. A post-processor, truncation and padding are not: they do not touch a text's ids.
// Every fault is a UserError(bad_file) that says where: merges[17], or the line of merges.txt.
#pragma once

#include "common/data/bpe.hpp"
#include "common/io/file.hpp"

namespace moe {

std::string to_tokenizer_json(const BpeModel& model);
// parse_tokenizer_json(to_tokenizer_json(m), ...) == m.
BpeModel parse_tokenizer_json(std::string_view text, const std::string& source);

// GPT-2's files do not name special tokens: here they are those that are no byte and no merge makes (<|endoftext|>).
BpeModel parse_vocab_and_merges(std::string_view vocab, std::string_view merges,
                                const std::string& vocab_source, const std::string& merges_source);

// A .json file; or a directory with tokenizer.json, or else with vocab.json and merges.txt.
BpeModel read_tokenizer(const std::filesystem::path& path);
FileSum write_tokenizer_json(const std::filesystem::path& path, const BpeModel& model);  // atomically

}  // namespace moe
