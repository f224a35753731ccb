// Batches of token windows. Stateless: a batch is a function of corpus, seed and step, so that a run resumes
// from these two numbers, and every model of a comparison sees the same data in the same order.
#pragma once

#include <cstdint>
#include <vector>

#include "common/data/corpus.hpp"

namespace moe {

struct Batch {
  std::int64_t sequences = 0;          // B
  std::int64_t length = 0;             // T
  std::vector<std::int32_t> id;        // (B, T)
  std::vector<std::int32_t> target;    // (B, T): the token that follows id[i] in the text
  std::vector<std::int32_t> position;  // (B, T): 0 .. T-1
  std::vector<std::int32_t> sequence;  // (B, T): 0 .. B-1
  std::vector<std::int32_t> domain;    // (B): index into Corpus::domains
  std::int64_t first_token = 0;  // index of id[0] among all tokens of the run: global index = first_token + i
  std::int64_t target_bytes = 0;  // bytes of text that the targets stand for

  std::int64_t tokens() const { return sequences * length; }  // N
};
// Bits per byte of a batch: (mean cross-entropy in nats) * tokens() / (ln 2 * target_bytes).

// Training batch of a step: for each sequence a domain, uniform over domains whatever their sizes, then a
// start, uniform over the domain's training part; both from philox({seed, Purpose::batch, 0, step},
// sequence).
Batch make_batch(const Corpus& corpus, std::uint64_t seed, std::uint32_t step, std::int64_t sequences,
                 std::int64_t length);

// Windows of the held-out part that do not overlap, in order, in batches of `sequences`; the last batch holds
// what is left (fewer sequences: nothing is padded). At most max_tokens tokens: then the windows are spread
// evenly over the held-out part. max_tokens >= length.
std::vector<Batch> held_out_batches(const Corpus& corpus, std::size_t domain, std::int64_t sequences,
                                    std::int64_t length, std::int64_t max_tokens);

}  // namespace moe
