#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "common/moe/routers/router_ops.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::grade {
namespace {

struct Size {
  std::int64_t N, E, K;
};

struct Plan {
  std::vector<std::int32_t> offset, token, row;
};

// By the library: capacity, then a stable sort by expert.
Plan expected(const std::vector<std::int32_t>& expert, const Size& s, std::int64_t C) {
  Context ctx(1);
  const std::int64_t A = s.N * s.K;
  std::vector<std::int32_t> kept(A);
  Plan plan{std::vector<std::int32_t>(s.E + 1), std::vector<std::int32_t>(A), std::vector<std::int32_t>(A)};
  limit_per_key(ctx, kept.data(), expert.data(), A, s.E, C);
  // The list is token-major: what stands at a row, divided by K, is its token.
  sort_by_key(ctx, plan.offset.data(), plan.token.data(), plan.row.data(), kept.data(), A, s.E);
  for (std::int32_t& token : plan.token)
    if (token >= 0) token /= static_cast<std::int32_t>(s.K);
  return plan;
}

// By the library: how many of N·K assignments one expert keeps when it is wanted by all.
std::int64_t expected_capacity(const Size& s, double factor) {
  Context ctx(1);
  const Tensor all = Tensor::zeros(ctx, DType::i32, {s.N * s.K});
  const Tensor kept = limit_to_capacity(ctx, all, s.E, factor);
  return std::count(kept.data<std::int32_t>(), kept.data<std::int32_t>() + s.N * s.K, 0);
}

void compare(Check& check, const std::vector<std::int32_t>& expert, const Size& s, std::int64_t C) {
  Plan got;
  check.call("dispatch_plan", Out("offset", got.offset, s.E + 1), Out("token", got.token, s.N * s.K),
             Out("row", got.row, s.N * s.K), In("expert", expert, s.K), s.N, s.E, s.K, C);
  const Plan want = expected(expert, s, C);
  check.equal("offset", got.offset, want.offset);
  check.equal("row", got.row, want.row, s.K);
  check.equal("token", got.token, want.token);
}

std::string named(const Size& s) {
  return "N=" + std::to_string(s.N) + " E=" + std::to_string(s.E) + " K=" + std::to_string(s.K);
}

std::string named(const Size& s, std::int64_t C) {
  return named(s) + " C=" + std::to_string(C);
}

}  // namespace

MOE_GRADED(Capacity, 2,
           "The fair share is of all N*K assignments, not of N tokens; divide as doubles, then round up.") {
  struct Case {
    Size size;
    double factor;
  };
  // Either E is a power of two, so that nothing is rounded, or the result is far from a whole number.
  for (const auto& [size, factor] : {Case{{8, 4, 1}, 1},
                                     {{8, 4, 2}, 1},
                                     {{4, 3, 2}, 1},
                                     {{33, 8, 2}, 1.25},
                                     {{127, 16, 8}, 0.5},
                                     {{31, 7, 3}, 1.5},
                                     {{1, 64, 1}, 1},
                                     {{129, 1, 1}, 1}}) {
    check.begin(named(size) + " factor=" + std::to_string(factor).substr(0, 4));
    const auto got = check.result_of<std::int64_t>("expert_capacity", size.N, size.E, size.K, factor);
    check.equal("capacity", std::vector<std::int64_t>{got}, {expected_capacity(size, factor)});
  }
}

MOE_GRADED(HandCase, 2,
           "Work the README's example on paper: the list goes token by token, first come, first served.") {
  const auto size = check.example<std::int64_t>("size");
  const Size s{size[0], size[1], size[2]};
  const std::int64_t C = check.example<std::int64_t>("capacity")[0];
  check.begin("the README's example, " + named(s, C));
  const auto expert = check.example<std::int32_t>("expert");
  const Plan want = expected(expert, s, expected_capacity(s, check.example<double>("factor")[0]));
  check.equal("README's offset", check.example<std::int32_t>("offset"), want.offset);
  check.equal("README's token", check.example<std::int32_t>("token"), want.token);
  check.equal("README's row", check.example<std::int32_t>("row"), want.row, s.K);
  compare(check, expert, s, C);
}

MOE_GRADED(
    OneChoice, 2,
    "K = 1 and room for all: a stable sort by expert. Rows of an expert keep the order of their tokens.") {
  for (const Size& s : {Size{6, 3, 1}, {0, 4, 1}, {1, 1, 1}, {31, 5, 1}, {127, 33, 1}}) {
    check.begin(named(s, s.N));
    compare(check, check.integers(s.N, 0, static_cast<std::int32_t>(s.E) - 1), s, s.N);
  }
}

MOE_GRADED(SeveralChoices, 2,
           "Assignment a of the list belongs to token a / K, and row is in the order of the list.") {
  for (const Size& s : {Size{4, 3, 2}, {33, 4, 3}, {127, 31, 8}}) {
    const std::int64_t A = s.N * s.K;
    check.begin(named(s, A));
    compare(check, check.integers(A, 0, static_cast<std::int32_t>(s.E) - 1), s, A);
  }
}

MOE_GRADED(Drops, 2,
           "The first C of an expert's list stay; the rows after a dropped one close up, so offsets count "
           "what is kept.") {
  for (const auto& [s, C] :
       {std::pair{Size{6, 2, 1}, 2}, {{5, 2, 1}, 0}, {{6, 2, 1}, 1}, {{33, 4, 1}, 5}, {{127, 31, 1}, 3}}) {
    check.begin(named(s, C));
    // Expert 0 is always wanted more often than its capacity allows.
    auto expert = check.integers(s.N, 0, static_cast<std::int32_t>(s.E) - 1);
    std::fill_n(expert.begin() + 1, C + 1, 0);
    compare(check, expert, s, C);
  }
}

MOE_GRADED(EmptyAndFull, 1,
           "An expert without tokens begins where the next one begins; one may also get them all.") {
  check.begin("N=4 E=3 K=1 C=4, all to the last expert");
  compare(check, {2, 2, 2, 2}, {4, 3, 1}, 4);
  check.begin("N=4 E=5 K=1 C=4, only experts 1 and 3");
  compare(check, {3, 1, 1, 3}, {4, 5, 1}, 4);
  check.begin("N=129 E=2 K=1 C=129, all to expert 0");
  compare(check, std::vector<std::int32_t>(129, 0), {129, 2, 1}, 129);
}

MOE_GRADED(Absent, 1, "A choice of -1 is no assignment: it is in no count, and certainly no index.") {
  check.begin("N=3 E=2 K=1 C=3, token 1 has no expert");
  compare(check, {1, -1, 0}, {3, 2, 1}, 3);
  check.begin("N=33 E=7 K=1 C=33, some choices absent");
  auto expert = check.integers(33, -1, 6);
  expert[5] = -1;
  compare(check, expert, {33, 7, 1}, 33);
  check.begin("N=4 E=2 K=1 C=4, nobody has an expert");
  compare(check, std::vector<std::int32_t>(4, -1), {4, 2, 1}, 4);
}

}  // namespace moe::grade
