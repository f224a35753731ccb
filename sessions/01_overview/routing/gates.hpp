// What a trained router does, and what becomes of the model when it is asked for something else.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/data/corpus.hpp"
#include "common/nn/language_model.hpp"

namespace moe::session1 {

// A model with the same parameters, routed as `moe` says: another K, or gates that are not renormalised.
std::unique_ptr<LanguageModel> rerouted(Context& ctx, LanguageModel& model, const MoeConfig& moe);

// Three ways from probabilities p (N, E) to K gates a token.
struct GateForms {
  double least = 1, mean = 0,
         most = 0;  // Σ of the K gates, taken from the softmax over all experts as they are
  double difference =
      0;  // largest |a - b|: (a) those gates divided by their sum, (b) softmax over the K chosen scores only
};
GateForms compare_gate_forms(Context& ctx, const Tensor& p, std::int64_t K);

// The first router's probabilities on a batch of held-out text of every domain, of MoE layer `layer`: (N, E).
Tensor held_out_probabilities(Context& ctx, LanguageModel& model, const Corpus& corpus, int layer);

// For each domain the expert that it has the largest share of, and the bytes which that expert gets oftenest compared with
// all others.
struct Reader {
  std::string domain;
  std::size_t expert = 0;
  double share = 0;   // of what the expert reads, this domain
  std::string bytes;  // "'(' ';' '\n'"
};
struct Reading {
  std::vector<Reader> readers;  // one a domain
  double about_domain = 0,
         about_byte = 0;  // what an assignment's expert tells about its domain and its byte, in nats
};
// The experts of MoE layer `layer` on about `tokens_per_domain` tokens (at least a context) of each domain's held-out text.
Reading read_held_out(Context& ctx, LanguageModel& model, const Corpus& corpus, std::size_t layer,
                      std::int64_t tokens_per_domain);

}  // namespace moe::session1
