// What is hard about a Mixture of Experts, one experiment a file.
#pragma once

#include <optional>
#include <span>

#include "sessions/01_overview/experiment/exhibit.hpp"

namespace moe::session1 {

// Each trains its own models from o.train and o.model. Empty: interrupted.
std::optional<Exhibit> instability(const LmOptions& o,
                                   const Corpus& corpus);  // a router of low precision, and cures
std::optional<Exhibit> collapse(const LmOptions& o, const Corpus& corpus);    // hidden states and router rows
std::optional<Exhibit> redundancy(const LmOptions& o, const Corpus& corpus);  // merging against pruning
std::optional<Exhibit> random_routing(const LmOptions& o,
                                      const Corpus& corpus);  // a random router as dropout

struct Challenge {
  const char* name;
  const char* summary;
  std::optional<Exhibit> (*run)(const LmOptions& o, const Corpus& corpus);
};
std::span<const Challenge> challenges();

// Those that `names` (separated by commas; "all") mean, in the table's order. Throws UserError (usage).
std::vector<const Challenge*> chosen_challenges(const std::string& names);

}  // namespace moe::session1
