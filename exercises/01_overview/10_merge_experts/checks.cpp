#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/convert/expert_weights.hpp"
#include "common/grade/check.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

using Order = std::vector<std::int32_t>;

// M experts of one group; expert 0 is the one that others are aligned to.
struct Group {
  std::int64_t M, D, F;
  std::vector<float> gate_up;  // (M, 2F, D)
  std::vector<float> down;     // (M, D, F)
  std::vector<std::int32_t> count;
  std::string name() const { return concat("M=", M, " D=", D, " F=", F); }
};
struct Merged {
  std::vector<float> gate_up, down;
};

ExpertWeights library_weights(const Group& g) {
  ExpertWeights w(g.M, g.D, g.F);
  w.gate_up.assign(g.gate_up.begin(), g.gate_up.end());
  w.down.assign(g.down.begin(), g.down.end());
  return w;
}
Order expected_order(const Group& g) {
  return aligned_neurons(library_weights(g), 0, 1);
}
Merged expected(const Group& g) {
  std::vector<std::int64_t> all;
  for (std::int64_t m = 0; m < g.M; ++m) all.push_back(m);
  const std::vector<double> importance(g.count.begin(), g.count.end());
  const ExpertWeights w = merge_experts(library_weights(g), {all}, importance);
  return {{w.gate_up.begin(), w.gate_up.end()}, {w.down.begin(), w.down.end()}};
}

Order answered_order(Check& check, const Group& g) {
  const std::int64_t one = 2 * g.F * g.D, other = g.D * g.F;
  const auto part = [](const std::vector<float>& x, std::int64_t m, std::int64_t n) {
    return std::vector<float>(x.begin() + m * n, x.begin() + (m + 1) * n);
  };
  const auto gate_up_a = part(g.gate_up, 0, one), gate_up_b = part(g.gate_up, 1, one);
  const auto down_a = part(g.down, 0, other), down_b = part(g.down, 1, other);
  Order neuron;
  check.call("align_neurons", Out("neuron", neuron, g.F), In("gate_up_a", gate_up_a, g.D),
             In("down_a", down_a, g.F), In("gate_up_b", gate_up_b, g.D), In("down_b", down_b, g.F), g.D, g.F);
  return neuron;
}
void compare_order(Check& check, const Group& g, const std::string& special = "") {
  check.begin(g.name() + special);
  check.equal("neuron", answered_order(check, g), expected_order(g));
}

// Products and sums of at most 5 numbers of size 1.
constexpr Tolerance kRounding{2e-6, 1e-5};

void compare_merged(Check& check, const Group& g, const std::string& special = "") {
  check.begin(g.name() + special);
  Merged got;
  check.call("merge_experts", Out("merged_gate_up", got.gate_up, 2 * g.F * g.D),
             Out("merged_down", got.down, g.D * g.F), In("gate_up", g.gate_up, g.D), In("down", g.down, g.F),
             In("count", g.count), g.M, g.D, g.F);
  const Merged want = expected(g);
  check.close("merged_gate_up", got.gate_up, want.gate_up, g.D, kRounding);
  check.close("merged_down", got.down, want.down, g.F, kRounding);
}

// Expert m's neuron i becomes what neuron from[i] was.
void shuffle_neurons(Group& g, std::int64_t m, const Order& from) {
  const Group old = g;
  for (std::int64_t i = 0; i < g.F; ++i)
    for (std::int64_t d = 0; d < g.D; ++d) {
      for (const std::int64_t half : {std::int64_t{0}, g.F})
        g.gate_up[(m * 2 * g.F + half + i) * g.D + d] = old.gate_up[(m * 2 * g.F + half + from[i]) * g.D + d];
      g.down[(m * g.D + d) * g.F + i] = old.down[(m * g.D + d) * g.F + from[i]];
    }
}
Order random_order(Check& check, std::int64_t F) {
  Order order;
  for (std::int64_t i = 0; i < F; ++i) order.push_back(static_cast<std::int32_t>(i));
  for (std::int64_t i = F - 1; i > 0; --i) std::swap(order[i], order[check.integer(0, i)]);
  return order;
}

// The same expert M times, but for noise.
Group alike(Check& check, std::int64_t M, std::int64_t D, std::int64_t F, float noise) {
  Group g{
      M, D, F, check.normal(M * 2 * F * D, noise), check.normal(M * D * F, noise), check.integers(M, 1, 100)};
  const auto gate_up = check.normal(2 * F * D), down = check.normal(D * F);
  for (std::size_t i = 0; i < g.gate_up.size(); ++i) g.gate_up[i] += gate_up[i % gate_up.size()];
  for (std::size_t i = 0; i < g.down.size(); ++i) g.down[i] += down[i % down.size()];
  return g;
}

// Two experts of three neurons that differ in the matrices chosen (else all weights are 1); the second has them in `order`.
Group three_neurons(const Order& order, bool gate, bool up, bool down) {
  Group g{2, 2, 3, std::vector<float>(24, 1), std::vector<float>(12, 1), {1, 1}};
  const float different[3][2] = {{2, 0}, {0, 2}, {-2, -1}};
  for (int m = 0; m < 2; ++m)
    for (int j = 0; j < 3; ++j)
      for (int d = 0; d < 2; ++d) {
        if (gate) g.gate_up[(m * 6 + j) * 2 + d] = different[j][d];
        if (up) g.gate_up[(m * 6 + 3 + j) * 2 + d] = different[j][d];
        if (down) g.down[(m * 2 + d) * 3 + j] = different[j][d];
      }
  shuffle_neurons(g, 1, order);
  return g;
}
Group moved_round() {
  return three_neurons({2, 0, 1}, true, true, true);
}

// Eight neurons, gate rows alone, in the plane; those of b are mirrored ones of a. So inner products are symmetric, and the best
// order and its inverse are equally good.
Group crossing(Check& check) {
  Group g{2, 2, 8, std::vector<float>(64), std::vector<float>(32), {1, 1}};
  const std::vector<float> gate = check.normal(16);
  for (std::size_t i = 0; i < 16; ++i) g.gate_up[i] = gate[i], g.gate_up[32 + i] = gate[i ^ 1];
  return g;
}
double total_score(const Group& g, const Order& neuron) {
  double sum = 0;
  for (std::int64_t j = 0; j < g.F; ++j)
    for (std::int64_t d = 0; d < g.D; ++d)
      sum += g.gate_up[j * g.D + d] * g.gate_up[(2 * g.F + neuron[j]) * g.D + d];
  return sum;
}

}  // namespace

MOE_GRADED(HandCase, 1,
           "Work the README's example on paper: similarities, the order, then the weighted mean.") {
  const Group g{2,
                1,
                2,
                check.example<float>("gate_up"),
                check.example<float>("down"),
                check.example<std::int32_t>("count")};
  check.begin("the README's example, M=2 D=1 F=2");
  check.equal("neuron", answered_order(check, g), check.example<std::int32_t>("neuron"));
  Merged got;
  check.begin("the README's example, M=2 D=1 F=2");
  check.call("merge_experts", Out("merged_gate_up", got.gate_up, 4), Out("merged_down", got.down, 2),
             In("gate_up", g.gate_up), In("down", g.down, 2), In("count", g.count), g.M, g.D, g.F);
  check.close("merged_gate_up", got.gate_up, check.example<float>("merged_gate_up"), 1, kRounding);
  check.close("merged_down", got.down, check.example<float>("merged_down"), 2, kRounding);
}

MOE_GRADED(ShuffledCopy, 2,
           "neuron[j] is the neuron of b that goes to place j: not where neuron j of b goes, which is the "
           "inverse.") {
  compare_order(check, moved_round(), ", b is a with its neurons moved round by one");
  for (const auto [D, F] : {std::array<std::int64_t, 2>{3, 1}, {32, 31}, {33, 33}}) {
    Group g = alike(check, 2, D, F, 0);
    shuffle_neurons(g, 1, random_order(check, F));
    compare_order(check, g, ", b is a with its neurons shuffled");
  }
}

MOE_GRADED(
    AllThreeMatrices, 1,
    "A neuron is a gate row, an up row and a down column: their three inner products count together.") {
  compare_order(check, three_neurons({1, 0, 2}, true, false, false), ", neurons differ in gate alone");
  compare_order(check, three_neurons({1, 0, 2}, false, true, false), ", neurons differ in up alone");
  compare_order(check, three_neurons({1, 0, 2}, false, false, true), ", neurons differ in down alone");
}

MOE_GRADED(
    BestTogether, 1,
    "Not the best partner for each neuron, one after the other, but the best sum: call best_assignment.") {
  for (const bool turned : {false, true}) {
    const float k = static_cast<float>(check.integer(1, 9));
    // Inner products 10k 9k / 9k k: who takes 10k first gets 11k in all, who forgoes it 18k.
    Group g{2,     2, 2, {1, 0, 0, 1, 0, 0, 0, 0, 10 * k, 9 * k, 9 * k, k, 0, 0, 0, 0}, std::vector<float>(8),
            {1, 1}};
    if (turned) shuffle_neurons(g, 1, {1, 0});
    compare_order(check, g, ", up and down are 0");
  }
  const Group g = crossing(check);
  check.begin(g.name() + ", up and down are 0");
  const Order got = answered_order(check, g);
  Order sorted = got;
  std::sort(sorted.begin(), sorted.end());
  check.require(
      std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() && sorted[0] >= 0 && sorted[7] < 8,
      "neuron does not hold each of 0 to 7 once");
  const double sum = total_score(g, got), best = total_score(g, expected_order(g));
  check.require(sum >= best - 1e-5 * std::abs(best),
                concat("the inner products add up to ", sum, ", but could to ", best));
}

MOE_GRADED(WeightedMean, 1, "Each expert's share is its count divided by the sum of all counts.") {
  Group g{3, 2, 1, {4, 0, 0, 0, 0, 8, 0, 0, 0, 0, 16, 4}, {8, 0, 0, 8, 0, 0}, {1, 2, 1}};
  compare_merged(check, g, ", one neuron: nothing to align");
  for (const auto [M, D] : {std::array<std::int64_t, 2>{1, 2}, {2, 1}, {5, 127}})
    compare_merged(check, alike(check, M, D, 1, 1), ", one neuron: nothing to align");
}

MOE_GRADED(UnusedExperts, 1,
           "An unused expert has no share. Where all counts are 0, all experts have the same.") {
  Group g = alike(check, 3, 2, 1, 1);
  g.count = {0, 7, 0};
  compare_merged(check, g, ", only expert 1 was used");
  g.count = {0, 0, 0};
  compare_merged(check, g, ", none was used");
}

MOE_GRADED(
    MergeAligned, 3,
    "Align every expert to expert 0 first, and move gate rows, up rows and down columns by the same order.") {
  compare_merged(check, moved_round(), ", the second is the first with its neurons moved round by one");
  for (const auto [M, D, F] : {std::array<std::int64_t, 3>{2, 32, 2}, {3, 32, 31}, {4, 33, 33}}) {
    Group g = alike(check, M, D, F, 0.1f);
    for (std::int64_t m = 1; m < M; ++m) shuffle_neurons(g, m, random_order(check, F));
    compare_merged(check, g, ", nearly one expert, neurons shuffled");
  }
}

}  // namespace moe::grade
