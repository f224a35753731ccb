#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::grade {
namespace {

using Ints = std::vector<std::int32_t>;

struct Permutation {
  Ints count, offset, source, row;
};

// By the library.
Permutation expected(const Ints& expert, std::int64_t E) {
  Context ctx(1);
  const std::size_t A = expert.size();
  Permutation p{Ints(E), Ints(E + 1), Ints(A), Ints(A)};
  histogram(ctx, p.count.data(), expert.data(), static_cast<std::int64_t>(A), E);
  sort_by_key(ctx, p.offset.data(), p.source.data(), p.row.data(), expert.data(),
              static_cast<std::int64_t>(A), E);
  return p;
}

Ints counted(Check& check, const Ints& expert, std::int64_t E) {
  Ints count;
  check.call("count_experts", Out("count", count, E), In("expert", expert),
             static_cast<std::int64_t>(expert.size()), E);
  return count;
}

Ints scanned(Check& check, const Ints& count) {
  const auto E = static_cast<std::int64_t>(count.size());
  Ints offset;
  check.call("scan_counts", Out("offset", offset, E + 1), In("count", count), E);
  return offset;
}

// With the offsets that are right, whatever the answer's own are.
Permutation scattered(Check& check, const Ints& expert, std::int64_t E) {
  Permutation p = expected(expert, E);
  const auto A = static_cast<std::int64_t>(expert.size());
  check.call("scatter", Out("source", p.source, A), Out("row", p.row, A), In("expert", expert),
             In("offset", p.offset), A, E);
  return p;
}

std::string sizes(std::int64_t A, std::int64_t E) {
  return "A=" + std::to_string(A) + " E=" + std::to_string(E);
}

// Lists whose lengths straddle warps and blocks; few experts, so that some are empty, or many.
constexpr std::array<std::array<std::int64_t, 2>, 7> kSizes{
    {{5, 3}, {0, 3}, {1, 4}, {31, 4}, {33, 40}, {127, 7}, {300, 256}}};

void require_each_once(Check& check, const Ints& expert, const Permutation& p) {
  const Ints unseen(expert.size(), -1);
  Ints seen = unseen;
  for (std::size_t r = 0; r < p.source.size(); ++r) {
    const std::int32_t a = p.source[r];
    const std::string where = "source[" + std::to_string(r) + "]";
    check.require(a >= 0 && a < static_cast<std::int32_t>(expert.size()),
                  where + " was never written, or is no assignment");
    check.require(seen[a] < 0, where + " is an assignment that stands in another row, too");
    seen[a] = static_cast<std::int32_t>(r);
    const std::int32_t e = expert[a];
    check.require(p.offset[e] <= seen[a] && seen[a] < p.offset[e + 1],
                  where + " is an assignment of another expert");
  }
  check.equal("row", p.row, seen);
}

}  // namespace

MOE_GRADED(HandCase, 1,
           "The README's numbers, each function's output into the next: do all three on paper first.") {
  const auto expert = check.example<std::int32_t>("expert");
  check.begin("the README's example, A=6 E=3");
  const Ints count = counted(check, expert, 3);
  check.equal("count", count, check.example<std::int32_t>("count"));
  check.begin("the README's example, A=6 E=3");
  const Ints offset = scanned(check, count);
  check.equal("offset", offset, check.example<std::int32_t>("offset"));
  check.begin("the README's example, A=6 E=3");
  Ints source, row;
  check.call("scatter", Out("source", source, 6), Out("row", row, 6), In("expert", expert),
             In("offset", offset), std::int64_t{6}, std::int64_t{3});
  check.equal("source", source, check.example<std::int32_t>("source"));
  check.equal("row", row, check.example<std::int32_t>("row"));
}

MOE_GRADED(
    Histogram, 2,
    "Counters start at 0 before anybody adds, threads add atomically, and A is no multiple of a block.") {
  for (const auto [A, E] : kSizes) {
    const Ints expert = check.integers(A, 0, static_cast<std::int32_t>(E - 1));
    check.begin(sizes(A, E));
    check.equal("count", counted(check, expert, E), expected(expert, E).count);
  }
  check.begin("A=129 E=5, all for expert 3");
  check.equal("count", counted(check, Ints(129, 3), 5), {0, 0, 0, 129, 0});
}

MOE_GRADED(
    Scan, 2,
    "offset[e] is the sum of the counts before e; between reading and writing shared sums is a barrier.") {
  for (const std::int64_t E : {4, 1, 31, 32, 33, 127, 129, 256}) {
    const Ints count = check.integers(E, 0, 3);
    Ints offset(E + 1);
    for (std::int64_t e = 0; e < E; ++e) offset[e + 1] = offset[e] + count[e];
    check.begin("E=" + std::to_string(E));
    check.equal("offset", scanned(check, count), offset);
  }
}

MOE_GRADED(Places, 2,
           "Every assignment stands in exactly one row, within its expert's; mind the list's ragged end.") {
  for (const auto [A, E] : kSizes) {
    const Ints expert = check.integers(A, 0, static_cast<std::int32_t>(E - 1));
    check.begin(sizes(A, E));
    require_each_once(check, expert, scattered(check, expert, E));
  }
}

MOE_GRADED(
    Stable, 3,
    "Threads run in any order on a GPU: an assignment's rank must follow from the list, not from who comes "
    "first.") {
  for (const std::uint32_t order : {1, 2, 3}) {
    check.thread_order(order);
    for (const auto [A, E] : {std::array<std::int64_t, 2>{32, 3}, {160, 4}}) {
      const Ints expert = check.integers(A, 0, static_cast<std::int32_t>(E - 1));
      check.begin(sizes(A, E) + ", threads in random order " + std::to_string(order));
      const Permutation got = scattered(check, expert, E), want = expected(expert, E);
      check.equal("source", got.source, want.source);
      check.equal("row", got.row, want.row);
    }
    check.begin("A=64 E=4, all for expert 2, threads in random order " + std::to_string(order));
    const Ints expert(64, 2);
    check.equal("source", scattered(check, expert, 4).source, expected(expert, 4).source);
  }
}

// A warp's load of 32 assignments is 4 sectors, 128 for all of A=1024. Four times as many are enough to walk them more
// than once; one lane alone, which gets a sector for every number, needs eight times as many.
MOE_GRADED(Coalesced, 2,
           "Neighbouring threads must read neighbouring assignments: 32 lanes, 4 sectors of 32 bytes.") {
  constexpr std::int64_t kWalk = 1024 / 8, kExperts = 8;
  const auto require_at_most = [&](std::int64_t sectors, std::int64_t most) {
    check.begin("A=1024 E=8");
    check.require_traffic("global", "load", 1.1);
    check.require(sectors <= most, std::to_string(sectors) +
                                       " sectors are loaded from global memory, more than " +
                                       std::to_string(most) + ": how many lanes of a warp load?");
  };
  const Ints expert = check.integers(1024, 0, kExperts - 1);
  check.begin("A=1024 E=8");
  check.equal("count", counted(check, expert, kExperts), expected(expert, kExperts).count);
  const std::int64_t of_counting = check.passes("global", "load");
  require_at_most(of_counting, 4 * kWalk);
  check.begin("A=1024 E=8");
  require_each_once(check, expert, scattered(check, expert, kExperts));
  require_at_most(check.passes("global", "load") - of_counting,
                  4 * kExperts * kWalk);  // every expert may walk
}

}  // namespace moe::grade
