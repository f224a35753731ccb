#include "sessions/01_overview/challenges/challenges.hpp"

#include "sessions/01_overview/experiment/names.hpp"

namespace moe::session1 {
namespace {

constexpr Challenge kChallenges[] = {
    {"instability", "a router in low precision, and its cures: f32, z-loss, a lower learning rate",
     instability},
    {"collapse", "do hidden states and router rows fall together? softmax against cosine router", collapse},
    {"redundancy", "experts merged or pruned after training: quality against parameters", redundancy},
    {"random_routing", "a random router that never learns, and more experts at inference than in training",
     random_routing},
};

}  // namespace

std::span<const Challenge> challenges() {
  return kChallenges;
}

std::vector<const Challenge*> chosen_challenges(const std::string& names) {
  return chosen_by_name<Challenge>(kChallenges, names, "--only");
}

}  // namespace moe::session1
