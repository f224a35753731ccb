#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe::grade {
namespace {

using Shape = std::array<std::int64_t, 3>;  // M, N, K

// By the library, in double. Small integers: every product and sum is exact in f32, too, in any order.
std::vector<float> expected(const std::vector<float>& a, const std::vector<float>& b, const Shape& s) {
  const auto [M, N, K] = s;
  Context ctx(1);
  const std::vector<double> x(a.begin(), a.end()), w(b.begin(), b.end());
  std::vector<double> y(M * N);
  if (K > 0 && M * N > 0)
    gemm<double>(ctx, y.data(), x.data(), w.data(), gemm_shape(M, N, K, Transpose::no, Transpose::yes));
  return {y.begin(), y.end()};
}

std::vector<float> small_integers(Check& check, std::int64_t n) {
  const auto values = check.integers(n, -4, 4);
  return {values.begin(), values.end()};
}

void compare(Check& check, const Shape& s) {
  const auto [M, N, K] = s;
  const auto a = small_integers(check, M * K), b = small_integers(check, N * K);
  check.begin("M=" + std::to_string(M) + " N=" + std::to_string(N) + " K=" + std::to_string(K));
  std::vector<float> c;
  check.call("tiled_gemm", Out("c", c, M * N), In("a", a, K > 0 ? K : 1), In("b", b, K > 0 ? K : 1), M, N, K);
  check.equal("c", c, expected(a, b, s), N > 0 ? N : 1);
}

constexpr Shape kForTraffic{64, 64, 64};
constexpr const char* kForTrafficName = "M=64 N=64 K=64";

}  // namespace

MOE_GRADED(HandCase, 1, "Work the README's example on paper; threads beyond the edge still load, and wait.") {
  const auto a = check.example<float>("a"), b = check.example<float>("b");
  check.begin("the README's example, M=2 N=2 K=3");
  std::vector<float> c;
  check.call("tiled_gemm", Out("c", c, 4), In("a", a, 3), In("b", b, 3), std::int64_t{2}, std::int64_t{2},
             std::int64_t{3});
  check.equal("c", c, check.example<float>("c"), 2);
}

MOE_GRADED(WholeTiles, 2,
           "No ragged edge here: look at the indices of the two loads, at the two barriers, at the start of "
           "the sum.") {
  for (const Shape& s : {Shape{16, 16, 16}, {32, 16, 48}, {16, 48, 32}}) compare(check, s);
}

MOE_GRADED(RaggedRows, 2,
           "M or N ends inside a tile: guard every load of a row and the store, and let all threads reach "
           "the barriers.") {
  for (const Shape& s : {Shape{1, 16, 16}, {16, 1, 16}, {31, 16, 16}, {16, 33, 16}, {17, 47, 16}})
    compare(check, s);
}

MOE_GRADED(RaggedDepth, 2,
           "K ends inside a tile: what lies beyond it adds 0, and the last, short tile counts.") {
  for (const Shape& s : {Shape{16, 16, 1}, {16, 16, 15}, {16, 16, 17}, {16, 32, 33}, {16, 16, 127}})
    compare(check, s);
}

MOE_GRADED(NothingToAdd, 1, "K = 0: the sum of no products is 0, and somebody has to write it.") {
  for (const Shape& s : {Shape{2, 3, 0}, {0, 5, 4}, {5, 0, 4}, {33, 17, 0}}) compare(check, s);
}

MOE_GRADED(AnyOrder, 1,
           "Threads run in any order on a GPU: only a barrier says that others have got so far.") {
  for (const std::uint32_t order : {1, 2, 3}) {
    check.thread_order(order);
    compare(check, {32, 32, 32});
  }
}

MOE_GRADED(
    Coalesced, 1,
    "threadIdx.x must count along the rows of a, of b and of c: neighbouring lanes, neighbouring numbers.") {
  compare(check, kForTraffic);
  check.require_traffic("global", "", 1.05);
}

MOE_GRADED(BankConflicts, 1,
           "Lanes that go down a column of a tile meet in few banks: one column of padding spreads them.") {
  compare(check, kForTraffic);
  check.begin(kForTrafficName);
  check.require(check.passes("shared", "load") > 0, "nothing is read from shared memory");
  check.require_traffic("shared", "", 1.05);
}

// 16 x 16 tiles read a and b 4 times each, 4096 sectors; without tiles it is 64 times each. A factor 4 in between.
MOE_GRADED(Reuse, 1,
           "A number should be loaded once a tile, not once a product: that is what the tiles are for.") {
  compare(check, kForTraffic);
  check.begin(kForTrafficName);
  const std::int64_t sectors = check.passes("global", "load"), enough = 4 * 4096;
  check.require(sectors <= enough, std::to_string(sectors) + " sectors are loaded from global memory; " +
                                       std::to_string(enough) + " would be enough without great care");
}

}  // namespace moe::grade
