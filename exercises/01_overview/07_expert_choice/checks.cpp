#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "common/moe/routers/router.hpp"
#include "kernels/base/check.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe::grade {
namespace {

struct Size {
  std::int64_t N, E, C;
};

struct Taken {
  std::vector<std::int32_t> token;
  std::vector<float> weight;
};

// (E, N), by the library in double.
std::vector<double> probability_by_expert(const std::vector<float>& logit, std::int64_t N, std::int64_t E) {
  Context ctx(1);
  const std::vector<double> x(logit.begin(), logit.end());
  std::vector<double> p(N * E), by_expert(N * E);
  softmax<double>(ctx, p.data(), nullptr, x.data(), N, E);
  transposed<double>(ctx, by_expert.data(), p.data(), N, E);
  return by_expert;
}

Taken expected(const std::vector<float>& logit, const Size& s) {
  Context ctx(1);
  const std::vector<double> p = probability_by_expert(logit, s.N, s.E);
  std::vector<double> weight(s.E * s.C);
  Taken t{std::vector<std::int32_t>(s.E * s.C), {}};
  top_k_gate<double>(ctx, t.token.data(), weight.data(), p.data(), {s.E, s.N, s.C, false});
  t.weight.assign(weight.begin(), weight.end());
  return t;
}

Taken answered(Check& check, const std::vector<float>& logit, const Size& s) {
  Taken t;
  check.call("expert_choice", Out("token", t.token, s.E * s.C), Out("weight", t.weight, s.E * s.C),
             In("logit", logit, s.E), s.N, s.E, s.C);
  return t;
}

// exp, a sum of a few terms and a division in f32.
constexpr Tolerance kRounding{1e-7, 1e-5};

void compare(Check& check, const std::vector<float>& logit, const Size& s) {
  const Taken got = answered(check, logit, s), want = expected(logit, s);
  check.equal("token", got.token, want.token, s.C);
  check.close("weight", got.weight, want.weight, s.C, kRounding);
}

// In f32 two probabilities of an expert that differ by less than this may change places.
bool nearly_tied(const std::vector<float>& logit, std::int64_t N, std::int64_t E) {
  std::vector<double> p = probability_by_expert(logit, N, E);
  for (auto column = p.begin(); column != p.end(); column += N) {
    std::sort(column, column + N);
    for (std::int64_t i = 1; i < N; ++i)
      if (column[i] - column[i - 1] < 2e-6 * column[i]) return true;
  }
  return false;
}

// Random logits, row n moved by n · `offset`, drawn again while any two probabilities are too close to call.
std::vector<float> untied(Check& check, std::int64_t N, std::int64_t E, float offset = 0) {
  for (int i = 0; i < 1000; ++i) {
    auto logit = check.normal(N * E, 1.5f);
    for (std::int64_t j = 0; j < N * E; ++j) logit[j] += offset * static_cast<float>(j / E - N / 2);
    if (!nearly_tied(logit, N, E)) return logit;
  }
  throw Error("no logits without near ties");
}

std::string named(const Size& s) {
  return "N=" + std::to_string(s.N) + " E=" + std::to_string(s.E) + " C=" + std::to_string(s.C);
}

// The routers of entry.cpp, by their numbers there.
enum RouterNumber : std::int32_t { top_k, switch_capacity, gshard, batch_scale, look_ahead, learners_own };

std::int64_t leak_found(Check& check, RouterNumber router, const std::vector<float>& logit, std::int64_t E,
                        const std::string& what) {
  const auto N = static_cast<std::int64_t>(logit.size()) / E;
  check.begin("N=" + std::to_string(N) + " E=" + std::to_string(E) + ", " + what);
  return check.result_of<std::int64_t>("find_leak_of", static_cast<std::int32_t>(router),
                                       In("logit", logit, E), N, E);
}

// As the library's table of routers says.
bool leaks(const char* router) {
  const RouterRow* row = find_router(router);
  MOE_CHECK(row, "no router ", router);
  return !row->causal;
}

void require_none(Check& check, std::int64_t token) {
  check.require(token == -1,
                "find_leak is " + std::to_string(token) + ", but no token can be changed by later ones: -1");
}

void require_some(Check& check, std::int64_t token, std::int64_t N) {
  check.require(token >= 0 && token < N,
                "find_leak is " + std::to_string(token) + ", but later tokens do change an earlier one");
}

}  // namespace

MOE_GRADED(HandCase, 2,
           "Work the README's example on paper: a softmax along each row, the C best of each column.") {
  const auto size = check.example<std::int64_t>("size");
  const Size s{size[0], size[1], size[2]};
  auto logit = check.example<float>("logit");
  const auto last = check.example<float>("last_token");
  check.begin("the README's example, " + named(s));
  const Taken got = answered(check, logit, s);
  check.equal("token", got.token, check.example<std::int32_t>("token"), s.C);
  check.close("weight", got.weight, check.example<float>("weight"), s.C, {0.0006, 0});  // three digits
  compare(check, logit, s);
  std::copy(last.begin(), last.end(), logit.end() - s.E);
  check.begin("the README's example with its last token changed, " + named(s));
  check.equal("README's token_after", check.example<std::int32_t>("token_after"), expected(logit, s).token,
              s.C);
  compare(check, logit, s);
}

MOE_GRADED(Choice, 2, "By probability, not by logit: each expert for itself, whatever the others took.") {
  for (const Size& s : {Size{3, 2, 2}, {1, 3, 1}, {8, 4, 4}, {31, 4, 7}, {33, 5, 33}, {127, 3, 32}}) {
    check.begin(named(s));
    compare(check, untied(check, s.N, s.E), s);
  }
}

MOE_GRADED(Ties, 1, "Equal probabilities go to the earlier token: compare with >, not >=, and sort stably.") {
  const std::vector<float> pairs{2, 0, 0, 2, 1, 1, 2, 0, 1, 1, 0, 2}, equal(33 * 3, 0.5f);
  check.begin("N=6 E=2 C=3, tokens that are equal in pairs");
  check.equal("token", answered(check, pairs, {6, 2, 3}).token, expected(pairs, {6, 2, 3}).token, 3);
  check.begin("N=33 E=3 C=11, all logits equal");
  check.equal("token", answered(check, equal, {33, 3, 11}).token, expected(equal, {33, 3, 11}).token, 11);
}

MOE_GRADED(LargeLogits, 1, "exp overflows beyond 88 in f32: subtract the row's greatest logit first.") {
  const std::vector<float> small{1000, 999, -1000, -998, 500, 500};
  check.begin("N=3 E=2 C=2, logits near 1000 and -1000");
  compare(check, small, {3, 2, 2});
  check.begin("N=33 E=4 C=9, every row with another offset");
  compare(check, untied(check, 33, 4, 40), {33, 4, 9});
}

// The same logits go to routers that leak and to routers that do not: only who routes can tell which is which.
MOE_GRADED(
    NoFalseAlarm, 2,
    "Later tokens change nothing in a causal router: compare earlier tokens only, and keep N as it is.") {
  MOE_CHECK(!leaks("top_k") && !leaks("switch") && leaks("gshard"), "the library's table says otherwise");
  const std::string drops = "top-1 with capacity N/E, later tokens are dropped";
  const std::vector<float> crowd{2, 0, 2, 0, 2, 0, 2, 0};
  require_none(check, leak_found(check, top_k, {1, 2}, 2, "one token, so none is later"));
  require_none(check, leak_found(check, top_k, crowd, 2, "top-2"));
  require_none(check, leak_found(check, switch_capacity, crowd, 2, drops));
  // First choices fill both experts; when a later token's goes elsewhere, an earlier token's second choice has room.
  const std::vector<float> full{2, 0, 2, 0, 2, 0, 2, 0, 0, 2, 0, 2, 0, 2, 0, 2};
  require_none(check, leak_found(check, switch_capacity, full, 2, drops));
  require_some(check,
               leak_found(check, gshard, full, 2, "this one leaks: second choices get what first ones leave"),
               8);
  const std::vector<float> random = check.normal(33 * 4);
  require_none(check, leak_found(check, top_k, random, 4, "top-2"));
  require_none(check, leak_found(check, switch_capacity, random, 4, drops));
}

MOE_GRADED(FindsLeaks, 3,
           "Try every prefix, change all that comes later by much, compare weights, too, and compare them "
           "exactly.") {
  for (const std::int64_t N : {8, 31}) {
    const std::vector<float> logit = check.normal(N * 4);
    require_some(check, leak_found(check, batch_scale, logit, 4, "weights scaled by a mean over the batch"),
                 N);
    const std::int64_t token =
        leak_found(check, look_ahead, logit, 4, "token 4 looks at token 5, all others are causal");
    check.require(token == 4, "find_leak is " + std::to_string(token) + ", but the token is 4");
    require_none(check, leak_found(check, top_k, logit, 4, "top-2: no leak at all"));
  }
}

MOE_GRADED(YourRouterLeaks, 1,
           "find_leak, applied to your expert_choice, must catch it: both have to work.") {
  MOE_CHECK(leaks("expert_choice"), "the library's table says otherwise");
  // Expert 0 likes a token better the later it comes: it has room for the last three.
  const std::vector<float> rising{-2.5f, 0, -1.5f, 0, -0.5f, 0, 0.5f, 0, 1.5f, 0, 2.5f, 0};
  require_some(check, leak_found(check, learners_own, rising, 2, "your expert_choice with C=3"), 6);
  require_none(check, leak_found(check, top_k, rising, 2, "top-2, which does not leak"));
}

}  // namespace moe::grade
