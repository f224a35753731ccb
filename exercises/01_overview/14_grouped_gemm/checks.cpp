#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe::grade {
namespace {

using Counts = std::vector<std::int32_t>;

struct Case {
  std::vector<float> x, w;
  std::vector<std::int32_t> offset;
  std::int64_t A, E, D, F;
};

std::vector<float> small_integers(Check& check, std::int64_t n) {
  const auto values = check.integers(n, -4, 4);
  return {values.begin(), values.end()};
}

// Rows that are not in use hold numbers, too: an answer that works on them writes what can be seen.
Case make_case(Check& check, const Counts& counts, std::int64_t D, std::int64_t F, std::int64_t unused = 0) {
  Case c{.offset = {0}, .E = static_cast<std::int64_t>(counts.size()), .D = D, .F = F};
  std::string name;
  for (const std::int32_t count : counts) {
    c.offset.push_back(c.offset.back() + count);
    name += " " + std::to_string(count);
  }
  c.A = c.offset.back() + unused;
  c.x = small_integers(check, c.A * D);
  c.w = small_integers(check, c.E * F * D);
  check.begin("A=" + std::to_string(c.A) + " E=" + std::to_string(c.E) + " D=" + std::to_string(D) +
              " F=" + std::to_string(F) + ", rows of the experts:" + name);
  return c;
}

std::vector<float> answered(Check& check, const Case& c) {
  std::vector<float> y;
  check.call("grouped_gemm", Out("y", y, c.A * c.F), In("x", c.x, c.D), In("w", c.w, c.D),
             In("offset", c.offset), c.A, c.E, c.D, c.F);
  return y;
}

// By the library, one product an expert, in double. Small integers: exact in f32, too. Rows that are not in use stay NaN.
std::vector<float> expected(const Case& c) {
  Context ctx(1);
  const std::vector<double> x(c.x.begin(), c.x.end()), w(c.w.begin(), c.w.end());
  std::vector<double> y(c.A * c.F, std::numeric_limits<double>::quiet_NaN());
  for (std::int64_t e = 0; e < c.E; ++e) {
    const std::int64_t begin = c.offset[e], rows = c.offset[e + 1] - begin;
    if (rows > 0)
      gemm<double>(ctx, y.data() + begin * c.F, x.data() + begin * c.D, w.data() + e * c.F * c.D,
                   gemm_shape(rows, c.F, c.D, Transpose::no, Transpose::yes));
  }
  return {y.begin(), y.end()};
}

void compare(Check& check, const Case& c) {
  std::vector<float> got = answered(check, c), want = expected(c);
  const std::size_t used = c.offset.back() * c.F;
  for (std::size_t i = used; i < got.size(); ++i)
    check.require(std::isnan(got[i]),
                  "row " + std::to_string(i / c.F) + " of y is not in use, but was written");
  got.resize(used), want.resize(used);
  check.equal("y", got, want, c.F);
}

}  // namespace

MOE_GRADED(HandCase, 1, "Two experts, two tiles, though all rows would fit into one.") {
  Case c{check.example<float>("x"),
         check.example<float>("w"),
         check.example<std::int32_t>("offset"),
         3,
         2,
         2,
         2};
  check.begin("the README's example, A=3 E=2 D=2 F=2");
  check.equal("y", answered(check, c), check.example<float>("y"), 2);
}

MOE_GRADED(WholeTiles, 2,
           "Every expert fills its tiles, no edge is ragged: is it the right expert's matrix?") {
  compare(check, make_case(check, {16}, 16, 16));
  compare(check, make_case(check, {16, 32, 16}, 32, 48));
}

MOE_GRADED(RaggedExperts, 3,
           "A tile ends where its expert ends: the next rows are another block's. All tiles together are up "
           "to A/16 + E.") {
  compare(check, make_case(check, {1, 1, 1}, 16, 16));
  compare(check, make_case(check, {17, 5, 33, 1}, 16, 16));
  compare(check, make_case(check, {31, 33, 127}, 32, 16));
}

MOE_GRADED(EmptyExperts, 2,
           "An expert without rows has no tile; look further, and stop after the last expert.") {
  compare(check, make_case(check, {0, 16, 0, 0, 16}, 16, 16));
  compare(check, make_case(check, {32, 0, 0}, 16, 16));
  compare(check, make_case(check, {0, 0, 48}, 16, 16));
  compare(check, make_case(check, {0, 0}, 16, 16));
}

MOE_GRADED(UnusedRows, 2, "A is a bound: rows from offset[E] on belong to nobody and stay as they are.") {
  compare(check, make_case(check, {16, 16}, 16, 16, 16));
  compare(check, make_case(check, {16, 5}, 16, 16, 11));
  compare(check, make_case(check, {0, 0}, 16, 16, 7));
}

MOE_GRADED(RaggedWidths, 1, "D or F ends inside a tile: what lies beyond adds 0 and is not written.") {
  for (const std::int64_t width : {1, 15, 31, 33}) {
    compare(check, make_case(check, {16, 16}, width, 16));
    compare(check, make_case(check, {16, 16}, 16, width));
  }
}

MOE_GRADED(Coalesced, 1,
           "threadIdx.x must count along the rows of x and of w: neighbouring lanes, neighbouring numbers.") {
  const Case c = make_case(check, {32, 16}, 64, 64);
  compare(check, c);
  check.require_traffic("global", "", 1.1);
}

}  // namespace moe::grade
