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
  std::vector<std::int32_t> expert;
  std::vector<float> weight;
};

// By the library, in double: the K greatest logits, their probabilities divided by their sum.
Gate expected(const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  Context ctx(1);
  const std::vector<double> x(logit.begin(), logit.end());
  std::vector<double> p(x.size()), score(N * K), gate(N * K);
  Gate g{std::vector<std::int32_t>(N * K), {}};
  top_k_gate<double>(ctx, g.expert.data(), score.data(), x.data(), {N, E, K, false});
  softmax<double>(ctx, gate.data(), nullptr, score.data(), N, K);  // the other experts' share cancels
  g.weight.assign(gate.begin(), gate.end());
  return g;
}

Gate answered(Check& check, const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  Gate g;
  check.call("top_k_gate", Out("expert", g.expert, N * K), Out("weight", g.weight, N * K),
             In("logit", logit, E), N, E, K);
  return g;
}

// exp and a division in f32, at most 129 terms.
constexpr Tolerance kRounding{1e-7, 1e-5};

void compare(Check& check, const std::vector<float>& logit, std::int64_t N, std::int64_t E, std::int64_t K) {
  const Gate got = answered(check, logit, N, E, K), want = expected(logit, N, E, K);
  check.equal("expert", got.expert, want.expert, K);
  check.close("weight", got.weight, want.weight, K, kRounding);
}

std::string sizes(std::int64_t N, std::int64_t E, std::int64_t K) {
  return "N=" + std::to_string(N) + " E=" + std::to_string(E) + " K=" + std::to_string(K);
}

}  // namespace

MOE_GRADED(HandCase, 2,
           "Work the README's example on paper: chosen by falling logit, weights divided by their sum.") {
  const auto logit = check.example<float>("logit");
  check.begin("the README's example, N=2 E=4 K=2");
  const Gate got = answered(check, logit, 2, 4, 2);
  check.equal("expert", got.expert, check.example<std::int32_t>("expert"), 2);
  check.close("weight", got.weight, check.example<float>("weight"), 2,
              {0.0006, 0});  // three digits in the README
  compare(check, logit, 2, 4, 2);
}

MOE_GRADED(Ties, 2, "Equal logits go to the lower expert: compare with >, not >=, and sort stably.") {
  const std::vector<float> equal(3 * 5, 0.5f), pairs{1, 2, 2, 1, 2, 0, 0, 3, 3, 0};
  check.begin("N=3 E=5 K=3, all logits equal");
  check.equal("expert", answered(check, equal, 3, 5, 3).expert, expected(equal, 3, 5, 3).expert, 3);
  check.begin("N=2 E=5 K=3, some logits equal");
  check.equal("expert", answered(check, pairs, 2, 5, 3).expert, expected(pairs, 2, 5, 3).expert, 3);
}

MOE_GRADED(AllExperts, 1, "K = E is allowed: every expert once, in the order of falling logit.") {
  const std::vector<float> small{-1, 2, 0.5f};
  check.begin("N=1 E=3 K=3");
  check.equal("expert", answered(check, small, 1, 3, 3).expert, {1, 2, 0}, 3);
  const auto logit = check.normal(31 * 8);
  check.begin("N=31 E=8 K=8");
  check.equal("expert", answered(check, logit, 31, 8, 8).expert, expected(logit, 31, 8, 8).expert, 8);
}

MOE_GRADED(OneExpert, 1, "With K = 1 the one weight is exactly 1.") {
  const auto logit = check.normal(33 * 7);
  check.begin("N=33 E=7 K=1");
  const Gate got = answered(check, logit, 33, 7, 1);
  check.equal("weight", got.weight, std::vector<float>(33, 1.0f), 1);
}

MOE_GRADED(LargeLogits, 2, "exp overflows beyond 88 in f32: subtract the row's greatest logit first.") {
  check.begin("N=2 E=3 K=2, logits of one row near 1000, of the other near -1000");
  compare(check, {1000, 999, 998, -1000, -999, -998}, 2, 3, 2);
  auto logit = check.normal(32 * 16, 50);
  for (std::size_t i = 0; i < logit.size(); ++i) logit[i] += static_cast<float>(i / 16) * 40 - 600;
  check.begin("N=32 E=16 K=4, every row with another offset");
  compare(check, logit, 32, 16, 4);
}

MOE_GRADED(AnySize, 2, "Look at the strides: row n of logit begins at n*E, of the outputs at n*K.") {
  for (const auto [N, E, K] :
       {std::array<std::int64_t, 3>{1, 2, 1}, {0, 4, 2}, {3, 4, 2}, {31, 33, 2}, {129, 127, 8}}) {
    check.begin(sizes(N, E, K));
    compare(check, check.normal(N * E), N, E, K);
  }
}

}  // namespace moe::grade
