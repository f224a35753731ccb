#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/rows/rows.hpp"

namespace moe::grade {
namespace {

using Ints = std::vector<std::int32_t>;
using Floats = std::vector<float>;

struct Case {
  Floats rows, weight;
  Ints row;
  std::int64_t N, K, D, A;
};

Ints shuffled(Check& check, std::int64_t n) {
  Ints order(n);
  for (std::int64_t i = 0; i < n; ++i) {
    order[i] = static_cast<std::int32_t>(i);
    std::swap(order[i], order[check.integer(0, i)]);
  }
  return order;
}

// Every assignment has a row of its own, in a random order.
Case make_case(Check& check, std::int64_t N, std::int64_t K, std::int64_t D) {
  Case c{.N = N, .K = K, .D = D, .A = N * K};
  c.row = shuffled(check, c.A);
  c.rows = check.normal(c.A * D);
  c.weight = check.normal(c.A);
  return c;
}

void begin(Check& check, const Case& c, const std::string& what = "") {
  check.begin("N=" + std::to_string(c.N) + " K=" + std::to_string(c.K) + " D=" + std::to_string(c.D) + what);
}

Floats answered(Check& check, const Case& c) {
  Floats y;
  check.call("fused_combine", Out("y", y, c.N * c.D), In("rows", c.rows, c.D), In("row", c.row, c.K),
             In("weight", c.weight, c.K), c.N, c.K, c.D);
  return y;
}

// By the library, in double.
Floats expected(const Case& c) {
  Context ctx(1);
  const std::vector<double> rows(c.rows.begin(), c.rows.end()), weight(c.weight.begin(), c.weight.end());
  std::vector<double> y(c.N * c.D);
  combine_rows<double>(ctx, y.data(), rows.data(), weight.data(), {c.row.data(), c.K}, {c.N, c.N * c.K, c.D});
  return {y.begin(), y.end()};
}

// A sum of at most 8 products of normal numbers in f32: its error is a few units of 6e-8 times the terms, some of which may
// cancel.
constexpr Tolerance kRounding{4e-6, 1e-5};

void compare(Check& check, const Case& c, const std::string& what = "") {
  begin(check, c, what);
  check.close("y", answered(check, c), expected(c), c.D, kRounding);
}

}  // namespace

MOE_GRADED(HandCase, 1, "The README's numbers, with a dropped assignment and a token that lost both.") {
  Case c{check.example<float>("rows"),
         check.example<float>("weight"),
         check.example<std::int32_t>("row"),
         3,
         2,
         2,
         3};
  check.begin("the README's example, N=3 K=2 D=2");
  check.equal("y", answered(check, c), check.example<float>("y"), 2);
}

MOE_GRADED(OneRow, 1,
           "K = 1, whole warps: y[n] is the token's one row times its weight, and y starts from nothing.") {
  for (const std::int64_t N : {4, 8}) compare(check, make_case(check, N, 1, 32));
}

MOE_GRADED(
    SumOfRows, 2,
    "All K rows count, each by the weight of its assignment (n, k), also where a row is named twice.") {
  compare(check, make_case(check, 4, 2, 32));
  compare(check, make_case(check, 8, 8, 32));
  Case c = make_case(check, 4, 3, 32);
  c.row[2] = c.row[0];
  compare(check, c, ", token 0 names a row twice");
}

MOE_GRADED(Dropped, 2,
           "Row -1 is no row: skip it before anything is read or multiplied, and write zeros where nothing "
           "is left.") {
  Case c = make_case(check, 4, 2, 32);
  for (std::int64_t a : {1, 2, 4, 5}) c.row[a] = -1;
  compare(check, c, ", four assignments dropped");
  for (std::int64_t a : {1, 2, 4, 5}) c.weight[a] = std::numeric_limits<float>::quiet_NaN();
  compare(check, c, ", four assignments dropped, whose weights are NaN");
  for (std::int32_t& r : c.row) r = -1;
  compare(check, c, ", all dropped");
}

MOE_GRADED(RaggedSizes, 2,
           "D is no multiple of 32 and N fills no block: every lane needs a guard, every element a lane.") {
  for (const std::int64_t N : {1, 0, 3, 31, 33}) compare(check, make_case(check, N, 2, 32));
  for (const std::int64_t D : {1, 31, 33, 127, 129}) compare(check, make_case(check, 4, 2, D));
}

MOE_GRADED(SameBytes, 1,
           "Float addition is not associative: whoever owns an element adds its terms in the order of k, "
           "without atomics.") {
  const Case c = make_case(check, 8, 8, 32);
  begin(check, c);
  const Floats first = answered(check, c);
  check.close("y", first, expected(c), c.D, kRounding);
  for (const std::uint32_t order : {1, 2, 3, 4}) {
    check.thread_order(order);
    begin(check, c,
          ", threads in random order " + std::to_string(order) + "; expected: the bytes of the order before");
    check.equal("y", answered(check, c), first, c.D);
  }
}

MOE_GRADED(
    Coalesced, 1,
    "Neighbouring lanes must read neighbouring elements of one row: 32 lanes, 4 sectors of 32 bytes.") {
  compare(check, make_case(check, 16, 2, 64));
  check.require_traffic("global", "load", 1.05);
  check.require_traffic("global", "store", 1.05);
}

}  // namespace moe::grade
