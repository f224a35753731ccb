#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::grade {
namespace {

struct Gate {
  std::vector<float> probability, weight;
  std::vector<std::int32_t> expert;
};

// By the library, in double.
Gate expected(const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  Context ctx(1);
  const std::vector<double> x(logit.begin(), logit.end());
  std::vector<double> p(N * E), score(N * K), gate(N * K);
  Gate g{.expert = std::vector<std::int32_t>(N * K)};
  softmax<double>(ctx, p.data(), nullptr, x.data(), N, E);
  top_k_gate<double>(ctx, g.expert.data(), score.data(), x.data(), {N, E, K, false});
  softmax<double>(ctx, gate.data(), nullptr, score.data(), N, K);  // the other experts' share cancels
  g.probability.assign(p.begin(), p.end());
  g.weight.assign(gate.begin(), gate.end());
  return g;
}

Gate answered(Check& check, const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  Gate g;
  check.call("softmax_top_k", Out("probability", g.probability, N * E), Out("expert", g.expert, N * K),
             Out("weight", g.weight, N * K), In("logit", logit, E), N, E, K);
  return g;
}

// exp, a sum of at most 129 terms and a division in f32, the sum in any order.
constexpr Tolerance kRounding{1e-7, 2e-5};

void compare(Check& check, const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  const Gate got = answered(check, logit, N, E, K), want = expected(logit, N, E, K);
  check.close("probability", got.probability, want.probability, E, kRounding);
  check.equal("expert", got.expert, want.expert, K);
  check.close("weight", got.weight, want.weight, K, kRounding);
}

std::string sizes(std::int64_t N, std::int64_t E, std::int64_t K) {
  return "N=" + std::to_string(N) + " E=" + std::to_string(E) + " K=" + std::to_string(K);
}

}  // namespace

MOE_GRADED(HandCase, 2,
           "Work the README's example on paper; lanes beyond E still take part in every shuffle.") {
  const auto logit = check.example<float>("logit");
  check.begin("the README's example, N=2 E=4 K=2");
  const Gate got = answered(check, logit, 2, 4, 2);
  check.close("probability", got.probability, check.example<float>("probability"), 4,
              {0.0006, 0});  // three digits
  check.equal("expert", got.expert, check.example<std::int32_t>("expert"), 2);
  check.close("weight", got.weight, check.example<float>("weight"), 2, {0.0006, 0});
}

MOE_GRADED(WholeWarps, 2,
           "E = 32, N a multiple of 4: no ragged edge at all. Look at the maximum, the sum, the order.") {
  for (const auto [N, K] : {std::array<std::int64_t, 2>{4, 1}, {8, 2}}) {
    check.begin(sizes(N, 32, K));
    compare(check, check.normal(N * 32), N, 32, K);
  }
}

MOE_GRADED(Ties, 2,
           "Equal logits go to the lower expert: lanes that exchange candidates must break ties alike.") {
  const std::vector<float> equal(4 * 32, 0.5f);
  check.begin("N=4 E=32 K=3, all logits equal");
  check.equal("expert", answered(check, equal, 4, 32, 3).expert, expected(equal, 4, 32, 3).expert, 3);
  std::vector<float> few(4 * 32);
  const auto levels = check.integers(4 * 32, 0, 2);
  few.assign(levels.begin(), levels.end());
  check.begin("N=4 E=32 K=8, three different logits");
  check.equal("expert", answered(check, few, 4, 32, 8).expert, expected(few, 4, 32, 8).expert, 8);
}

MOE_GRADED(LargeLogits, 1, "exp overflows beyond 88 in f32: subtract the row's maximum first.") {
  auto logit = check.normal(4 * 32, 50);
  for (std::size_t i = 0; i < logit.size(); ++i) logit[i] += static_cast<float>(i / 32) * 300 - 500;
  check.begin("N=4 E=32 K=2, every row with another offset");
  compare(check, logit, 4, 32, 2);
}

MOE_GRADED(RaggedSizes, 2,
           "Rows beyond N and experts beyond E: a lane takes every 32nd expert while there is one.") {
  for (const auto [N, E, K] :
       {std::array<std::int64_t, 3>{0, 4, 2}, {1, 1, 1}, {3, 33, 2}, {31, 7, 7}, {5, 129, 4}}) {
    check.begin(sizes(N, E, K));
    compare(check, check.normal(N * E), N, E, K);
  }
}

MOE_GRADED(AnyOrder, 1,
           "Threads run in any order on a GPU: what one writes another may read only after a barrier.") {
  const auto logit = check.normal(8 * 64);
  for (const std::uint32_t order : {1, 2, 3}) {
    check.begin("N=8 E=64 K=4, threads in random order " + std::to_string(order));
    check.thread_order(order);
    compare(check, logit, 8, 64, 4);
  }
}

}  // namespace moe::grade
