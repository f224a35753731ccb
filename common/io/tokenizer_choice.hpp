// --tokenizer: how a program is told what its tokens are.
#pragma once

#include "common/data/corpus.hpp"

namespace moe {

inline constexpr const char* kTokenizerHelp =
    "byte; bpe:V: a byte-level BPE of V tokens, learnt from the training texts; or a tokenizer.json, or a "
    "directory with it or "
    "with vocab.json and merges.txt";

// `choice`: as the help says. A file is read at once, so that a bad one is known before any text is read; a BPE is learnt when
// the corpus brings its training texts (2.5 s for 10 MB and 4,096 tokens), with a line of progress unless quiet.
// UserError  usage     bpe: without a number of 257 to 65,536
//            bad_file  as read_tokenizer
TokenizerMaker tokenizer_maker(const std::string& choice, bool quiet);

}  // namespace moe
