#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/base/check.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::grade {
namespace {

struct Batch {
  std::int64_t N, E, K;
  std::vector<float> score, bias;
  std::string name() const { return concat("N=", N, " E=", E, " K=", K); }
};
struct Routed {
  std::vector<std::int32_t> expert;
  std::vector<float> weight;
  std::vector<std::int32_t> load;
};
using Load = std::vector<std::int32_t>;

// Scores are multiples of 1/256 and biases of 1/32, so that a sum is exact in any precision; and some are equal.
Batch random_batch(Check& check, std::int64_t N, std::int64_t E, std::int64_t K) {
  Batch b{N, E, K, {}, {}};
  for (const std::int32_t i : check.integers(N * E, 1, 255)) b.score.push_back(static_cast<float>(i) / 256);
  for (const std::int32_t i : check.integers(E, -12, 12)) b.bias.push_back(static_cast<float>(i) / 32);
  return b;
}

Routed answered(Check& check, const Batch& b, Load load, bool recomputed = false) {
  Routed r{{}, {}, std::move(load)};
  check.call("route", Out("expert", r.expert, b.N * b.K), Out("weight", r.weight, b.N * b.K),
             InOut("load", r.load, b.E), In("score", b.score, b.E), In("bias", b.bias, b.E), recomputed, b.N,
             b.E, b.K);
  return r;
}
Load none(std::int64_t E) {
  return Load(static_cast<std::size_t>(E));
}

// By the library: the K best of score + bias.
std::vector<std::int32_t> chosen(const Batch& b) {
  Context ctx(1);
  std::vector<double> biased(b.score.size()), unused(b.N * b.K);
  const std::vector<double> score(b.score.begin(), b.score.end()), bias(b.bias.begin(), b.bias.end());
  std::vector<std::int32_t> expert(b.N * b.K);
  biased_score<double>(ctx, biased.data(), score.data(), bias.data(), {}, {b.N, b.E, b.K});
  top_k_gate<double>(ctx, expert.data(), unused.data(), biased.data(), {b.N, b.E, b.K, false});
  return expert;
}

// By the library: the weights of choices, whoever made them.
std::vector<float> weights_of(const Batch& b, const std::vector<std::int32_t>& expert) {
  Context ctx(1);
  const std::vector<double> score(b.score.begin(), b.score.end());
  std::vector<double> weight(expert.size());
  weigh_choice<double>(ctx, weight.data(), score.data(), expert.data(), {b.N, b.E, b.K});
  return {weight.begin(), weight.end()};
}

void require_experts(Check& check, const std::vector<std::int32_t>& expert, std::int64_t E) {
  for (const std::int32_t e : expert)
    check.require(e >= 0 && e < E, "a chosen expert is none of 0 to E-1: see to the choice first");
}

// The loads before, and one for each choice of the answer.
void compare_load(Check& check, const Routed& got, Load before) {
  require_experts(check, got.expert, static_cast<std::int64_t>(before.size()));
  for (const std::int32_t e : got.expert) ++before[e];
  check.equal("load", got.load, before);
}

constexpr Tolerance kRounding{0, 1e-5};  // a sum of at most 127 positive numbers, a division
constexpr float kRate = 0.0625f;         // a power of two: sums are exact

// end_of_step. NextStep looks at the load.
void compare_bias(Check& check, const Load& load, std::vector<float> bias, const std::vector<float>& want) {
  const std::int64_t E = static_cast<std::int64_t>(load.size());
  Load gone = load;
  check.begin(concat("E=", E, ", rate 0.0625"));
  check.call("end_of_step", InOut("bias", bias, E), InOut("load", gone, E), kRate, E);
  check.equal("bias", bias, want);
}
// By the library's rule.
void compare_bias(Check& check, const Load& load, const std::vector<float>& bias) {
  Context ctx(1);
  std::vector<float> want = bias;
  move_bias<float>(ctx, want.data(), load.data(), kRate, static_cast<std::int64_t>(load.size()));
  compare_bias(check, load, bias, want);
}

}  // namespace

MOE_GRADED(HandCase, 1,
           "Work the README's example on paper: choose by score + bias, weigh by score, count.") {
  const Batch b{2, 3, 2, check.example<float>("score"), check.example<float>("bias")};
  check.begin("the README's example, N=2 E=3 K=2");
  const Routed got = answered(check, b, none(3));
  check.equal("expert", got.expert, check.example<std::int32_t>("expert"), 2);
  check.close("weight", got.weight, check.example<float>("weight"), 2, {0.0006, 0});  // three digits
  check.equal("load", got.load, check.example<std::int32_t>("load"));
}

MOE_GRADED(
    BiasChooses, 2,
    "The experts are the K greatest score + bias, greatest first; equal sums go to the lower expert.") {
  const Batch equal{2, 4, 2, std::vector<float>(8, 0.5f), {0, 0.25f, 0.25f, 0}};
  check.begin("N=2 E=4 K=2, all scores equal");
  check.equal("expert", answered(check, equal, none(4)).expert, chosen(equal), 2);
  for (const auto [N, E, K] :
       {std::array<std::int64_t, 3>{1, 2, 1}, {0, 4, 2}, {3, 4, 4}, {31, 33, 3}, {127, 127, 8}}) {
    const Batch b = random_batch(check, N, E, K);
    check.begin(b.name());
    check.equal("expert", answered(check, b, none(E)).expert, chosen(b), K);
  }
}

MOE_GRADED(BiasNeverWeighs, 2,
           "A weight is score / sum of the chosen scores. With the bias in it, balancing would distort the "
           "output.") {
  for (const auto [N, E, K] : {std::array<std::int64_t, 3>{1, 3, 2}, {2, 4, 1}, {31, 33, 3}, {127, 31, 8}}) {
    const Batch b = random_batch(check, N, E, K);
    check.begin(b.name() + ", weights of the experts that you chose");
    const Routed got = answered(check, b, none(E));
    require_experts(check, got.expert, E);
    check.close("weight", got.weight, weights_of(b, got.expert), K, kRounding);
  }
}

MOE_GRADED(MicroBatches, 1,
           "A step may have several micro-batches: add to load, do not start again; the bias waits for the "
           "step's end.") {
  const Batch first = random_batch(check, 3, 4, 1), second = random_batch(check, 5, 4, 1);
  check.begin("N=3 E=4 K=1, the first micro-batch of a step");
  const Routed one = answered(check, first, none(4));
  compare_load(check, one, none(4));
  check.begin("N=5 E=4 K=1, the second micro-batch of the same step");
  const Routed two = answered(check, second, one.load);
  compare_load(check, two, one.load);
}

MOE_GRADED(
    Recomputation, 1,
    "To save memory, backward may run a forward pass again. Its choices are needed, but they count once.") {
  const Batch b = random_batch(check, 3, 4, 2);
  check.begin("N=3 E=4 K=2, recomputed: false, then true");
  const Routed first = answered(check, b, none(4));
  compare_load(check, first, none(4));
  const Routed again = answered(check, b, first.load, true);
  check.equal("expert", again.expert, first.expert, 2);
  check.equal("load after recomputation", again.load, first.load);
}

MOE_GRADED(
    EndOfStep, 1,
    "Overloaded experts get rate less, underloaded ones rate more, whatever the distance; equal ones stay.") {
  compare_bias(check, check.example<std::int32_t>("step_load"), check.example<float>("step_bias"),
               check.example<float>("step_bias_after"));
  compare_bias(check, {7, 7, 7, 7}, {0.5f, 0, -0.5f, 0.25f});
  for (const std::int64_t E : {1, 32, 127}) {
    // Pairs around a mean of 20 exactly, so that no division rounds.
    Load load(static_cast<std::size_t>(E), 20);
    const Load away = check.integers(E, 0, 20);
    for (std::int64_t e = 0; e + 1 < E; e += 2) load[e] += away[e], load[e + 1] -= away[e];
    compare_bias(check, load, std::vector<float>(static_cast<std::size_t>(E)));
  }
}

MOE_GRADED(MeanOfLoads, 1,
           "The mean load is rarely an integer: total / E of two integers rounds down, and experts near it "
           "stand still.") {
  compare_bias(check, {1, 1, 0}, {0, 0, 0});
  compare_bias(check, {3, 4}, {0.5f, 0.5f});
  Load load(33, 20);
  load[5] = 21;
  compare_bias(check, load, std::vector<float>(33));
}

MOE_GRADED(NextStep, 1,
           "After the step the loads must be 0, or the next step counts this one's tokens again.") {
  Load load{5, 0, 3, 2};
  std::vector<float> bias(4);
  const std::int64_t E = 4;
  check.begin("E=4, rate 0.0625");
  check.call("end_of_step", InOut("bias", bias, E), InOut("load", load, E), kRate, E);
  check.equal("load", load, none(4));
}

}  // namespace moe::grade
