#include "cli/stages.hpp"

#include <algorithm>
#include <vector>

#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr Session kSessions[] = {
    {"1", "Overview: what a Mixture of Experts is, and what it buys", "1.7"},
};

constexpr Stage kStages[] = {
    {"1.1", "dense_ffn", "where parameters and FLOPs sit: published models and ours, counted",
     "sessions/01_overview/01_dense_ffn.cpp"},
    {"1.2", "mixture_by_hand", "two experts and a gate on a curve, as in 1991; what makes them divide it",
     "sessions/01_overview/02_mixture_by_hand.cpp"},
    {"1.3", "top_k_routing", "who goes where in a small MoE model, what sparsity saves, what gates sum to",
     "sessions/01_overview/03_top_k_routing.cpp"},
    {"1.4", "load_balance", "collapse of a router without balancing; losses and a bias against it",
     "sessions/01_overview/04_load_balance.cpp"},
    {"1.5", "router_zoo", "every router on one task: quality, balance, speed, and which read the future",
     "sessions/01_overview/05_router_zoo.cpp"},
    {"1.6", "challenges", "instability, collapse, redundant experts and random routing, each by experiment",
     "sessions/01_overview/06_challenges.cpp"},
    {"1.7", "moe_vs_dense", "a dense and an MoE language model of equal active FLOPs on the same real text",
     "sessions/01_overview/07_moe_vs_dense.cpp"},
};

template <class Row>
const Row& find(std::span<const Row> rows, const char* kind, std::string_view number) {
  const auto row = std::ranges::find(rows, number, &Row::number);
  if (row != rows.end()) return *row;
  std::vector<std::string> numbers;
  for (const Row& r : rows) numbers.emplace_back(r.number);
  throw UserError(ExitCode::usage, concat("there is no ", kind, " '", number, "'"),
                  did_you_mean(number, numbers) + "`moe list` shows sessions and stages.");
}

}  // namespace

std::span<const Stage> stages() {
  return kStages;
}
std::span<const Session> sessions() {
  return kSessions;
}

const Stage& find_stage(std::string_view number) {
  return find(stages(), "stage", number);
}
const Session& find_session(std::string_view number) {
  return find(sessions(), "session", number);
}

std::string program_of(const Stage& stage) {
  return concat("stage_", stage.number);
}

}  // namespace moe
