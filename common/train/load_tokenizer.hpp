// The tokenizer that belongs to a model on disk.
#pragma once

#include <filesystem>
#include <memory>

#include "common/data/tokenizer.hpp"

namespace moe {

// `path`: a run (its newest checkpoint), a checkpoint, or any directory with a tokenizer.json, or vocab.json and merges.txt,
// beside its model: Hugging Face's. `vocabulary`: the model's V. A checkpoint without a tokenizer.json reads bytes. A model may
// have more ids than the tokenizer (Hugging Face rounds V up), never fewer.
// UserError bad_file: a broken file, a tokenizer of more than V tokens, no tokenizer although V is not 256.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& path, std::int64_t vocabulary);

}  // namespace moe
