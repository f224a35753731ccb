// Which router when. The advice is ours; the numbers beside it are the run's.
#include <algorithm>
#include <cmath>

#include "common/app/format.hpp"
#include "sessions/01_overview/router_zoo/zoo.hpp"

namespace moe::session1 {
namespace {

struct Advice {
  const char *situation, *router, *why;
};
constexpr Advice kAdvice[] = {
    {"a language model, nothing special", "top_k",
     "simple, causal, a token's experts do not depend on its neighbours; the auxiliary loss evens the load "
     "out"},
    {"a language model, balance without a loss that disturbs it", "bias_balanced",
     "a bias chooses, the scores weigh; give it time, its bias moves in fixed steps"},
    {"sigmoid scores without a bias", "sigmoid",
     "experts do not compete for probability; the auxiliary loss balances"},
    {"buffers of a fixed size, one expert a token", "switch",
     "half the work of K = 2; a full expert drops tokens, so look at that column first"},
    {"buffers of a fixed size, two experts", "gshard",
     "as switch; but first choices of later tokens displace second ones of earlier: not quite causal"},
    {"noise instead of luck at the start", "noisy_top_k",
     "noise tries experts that scores alone would never choose"},
    {"no router to train, a baseline to beat", "hash", "no parameters, no loss; as uneven as the ids are"},
    {"the same, evenly", "hash_balanced", "ids are shared out by their frequency in the training text"},
    {"a control: what does learning the router give?", "frozen", "random and constant"},
    {"scores that do not grow, a narrow comparison", "cosine", "the length of a token's state cannot shout"},
    {"balance by construction in training, greedy at inference", "base",
     "an assignment with equal loads; compare MaxVio in training and on held-out text"},
    {"the same on a device", "sinkhorn", "a few rounds of normalisation in place of an auction"},
    {"easy tokens should cost less", "null_experts", "a token may choose experts that do nothing"},
    {"the same, by confidence", "top_p", "experts until their probabilities suffice"},
    {"a gate with a gradient everywhere", "remoe", "ReLU in place of top-k, sparse by a penalty that adapts"},
    {"an encoder, or images: no text to continue", "expert_choice",
     "perfectly even, but a token may be left without an expert; in a causal model its numbers lie"},
    {"the same, without any choice", "soft_moe",
     "every expert sees mixtures of all tokens: smooth, and blind to order in time"},
};

std::string cell(double x, int decimals) {
  return std::isfinite(x) ? format_fixed(x, decimals) : "";
}

}  // namespace

std::string choosing_table(const std::vector<ZooEntry>& entries) {
  Table table({{"situation", Align::left},
               {"router", Align::left},
               {"why", Align::left},
               {"bits/byte"},
               {"MaxVio, training"},
               {"MaxVio, held out"},
               {"dropped"}});
  for (const Advice& a : kAdvice) {
    const auto at = std::ranges::find(entries, std::string_view(a.router),
                                      [](const ZooEntry& e) { return std::string_view(e.row->name); });
    if (at == entries.end()) continue;
    table.row({a.situation, concat("`", a.router, "`"), a.why, quality(*at),
               cell(mean_of(*at, &ZooRun::max_violation), 2),
               cell(mean_of(*at, &ZooRun::held_out_violation), 2),
               format_percent(mean_of(*at, &ZooRun::dropped))});
  }
  return table.markdown();
}

}  // namespace moe::session1
