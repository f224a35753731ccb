#include "common/data/batch.hpp"

#include <algorithm>

#include "kernels/base/check.hpp"
#include "kernels/base/random.hpp"

namespace moe {
namespace {

// Uniform in [0, n): the high half of a product, biased by at most n / 2^32 (Lemire 2019, without the
// rejection).
std::size_t below(std::uint32_t word, std::size_t n) {
  return static_cast<std::size_t>(static_cast<std::uint64_t>(word) * n >> 32);
}

Batch empty_batch(std::int64_t sequences, std::int64_t length, std::int64_t first_token) {
  Batch batch;
  batch.sequences = sequences;
  batch.length = length;
  batch.first_token = first_token;
  for (auto* column : {&batch.id, &batch.target, &batch.position, &batch.sequence})
    column->reserve(static_cast<std::size_t>(sequences * length));
  batch.domain.reserve(static_cast<std::size_t>(sequences));
  return batch;
}

// Appends text[start, start + T) as inputs and the same shifted by one as targets.
void append_window(Batch& batch, const Tokenizer& tokenizer, const std::vector<Token>& text,
                   std::size_t start, std::size_t domain) {
  const auto sequence = static_cast<std::int32_t>(batch.domain.size());
  for (std::int64_t t = 0; t < batch.length; ++t) {
    const std::size_t at = start + static_cast<std::size_t>(t);
    batch.id.push_back(text[at]);
    batch.target.push_back(text[at + 1]);
    batch.position.push_back(static_cast<std::int32_t>(t));
    batch.sequence.push_back(sequence);
    batch.target_bytes += tokenizer.byte_count(text[at + 1]);
  }
  batch.domain.push_back(static_cast<std::int32_t>(domain));
}

}  // namespace

Batch make_batch(const Corpus& corpus, std::uint64_t seed, std::uint32_t step, std::int64_t sequences,
                 std::int64_t length) {
  MOE_CHECK(!corpus.domains.empty() && sequences >= 0 && length >= 1, "batch of ", sequences, " x ", length,
            " from ", corpus.domains.size(), " domains");
  Batch batch = empty_batch(sequences, length, static_cast<std::int64_t>(step) * sequences * length);
  const RngKey key{.seed = seed, .purpose = Purpose::batch, .layer = 0, .step = step};
  const auto window = static_cast<std::size_t>(length) + 1;
  for (std::int64_t s = 0; s < sequences; ++s) {
    const auto word = philox(key, static_cast<std::uint64_t>(s));
    const std::size_t d = below(word[0], corpus.domains.size());
    const auto& text = corpus.domains[d].train;
    MOE_CHECK(text.size() >= window, "domain ", corpus.domains[d].name, " has ", text.size(), " tokens");
    append_window(batch, *corpus.tokenizer, text, below(word[1], text.size() - window + 1), d);
  }
  return batch;
}

std::vector<Batch> held_out_batches(const Corpus& corpus, std::size_t domain, std::int64_t sequences,
                                    std::int64_t length, std::int64_t max_tokens) {
  MOE_CHECK(domain < corpus.domains.size() && sequences >= 1 && length >= 1 && max_tokens >= length,
            "domain ", domain, ", ", sequences, " x ", length, ", at most ", max_tokens, " tokens");
  const auto& text = corpus.domains[domain].held_out;
  const std::int64_t available = (static_cast<std::int64_t>(text.size()) - 1) / length;
  const std::int64_t windows = std::min(available, max_tokens / length);
  std::vector<Batch> batches;
  for (std::int64_t w = 0; w < windows; ++w) {
    if (w % sequences == 0)
      batches.push_back(empty_batch(std::min(sequences, windows - w), length, w * length));
    const std::int64_t spread = w * available / windows;  // increasing: no window is taken twice
    append_window(batches.back(), *corpus.tokenizer, text, static_cast<std::size_t>(spread * length), domain);
  }
  return batches;
}

}  // namespace moe
