#include "kernels/routing_plan/routing_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Ints = std::vector<std::int32_t>;

constexpr std::int64_t kCounts[] = {0, 1, 31, 4095, 4096, 4097, 20000};  // a chunk has 4096 keys
constexpr std::int64_t kBuckets[] = {1, 2, 64, 1000};

// Keys from -2 to buckets + 1, so that some lie outside on either side, and the extreme ones.
Ints keys_of(std::int64_t n, std::int64_t buckets, std::uint64_t seed = 1) {
  Ints key(n);
  for (std::int64_t i = 0; i < n; ++i)
    key[i] = static_cast<std::int32_t>(philox({.seed = seed}, i)[0] % (buckets + 4)) - 2;
  if (n > 10) {
    key[3] = std::numeric_limits<std::int32_t>::max();
    key[7] = std::numeric_limits<std::int32_t>::min();
  }
  return key;
}

bool inside(std::int32_t key, std::int64_t buckets) {
  return 0 <= key && key < buckets;
}

struct Sorted {
  Ints offset, source, row;
};

Sorted oracle(const Ints& key, std::int64_t buckets) {
  const auto n = static_cast<std::int32_t>(key.size());
  Sorted out{Ints(buckets + 1, 0), {}, Ints(n, -1)};
  for (std::int32_t i = 0; i < n; ++i)
    if (inside(key[i], buckets)) out.source.push_back(i);
  std::stable_sort(out.source.begin(), out.source.end(), [&](int a, int b) { return key[a] < key[b]; });
  for (std::size_t r = 0; r < out.source.size(); ++r) {
    out.row[out.source[r]] = static_cast<std::int32_t>(r);
    for (std::int64_t b = key[out.source[r]] + 1; b <= buckets; ++b) ++out.offset[b];
  }
  out.source.resize(n, -1);
  return out;
}

void expect_sorted(const Ints& key, std::int64_t buckets) {
  const auto n = static_cast<std::int64_t>(key.size());
  SCOPED_TRACE(concat("n ", n, " buckets ", buckets));
  const Sorted expected = oracle(key, buckets);
  Ints counts;
  for (std::int64_t b = 0; b < buckets; ++b) counts.push_back(expected.offset[b + 1] - expected.offset[b]);
  for (const int threads : kThreadCounts) {
    Context ctx(threads);
    for (const auto& version : versions_here(histogram)) {
      Output<std::int32_t> count(buckets);
      version.function(ctx, count, key.data(), n, buckets);
      EXPECT_TRUE(close(count, counts)) << "histogram on " << threads;
    }
    for (const auto& version : versions_here(sort_by_key)) {
      Output<std::int32_t> offset(buckets + 1), source(n), row(n), offset2(buckets + 1), source2(n), row2(n);
      version.function(ctx, offset, source, row, key.data(), n, buckets);
      EXPECT_TRUE(close(offset, expected.offset)) << "offset on " << threads;
      EXPECT_TRUE(close(source, expected.source)) << "source on " << threads;
      EXPECT_TRUE(close(row, expected.row)) << "row on " << threads;
      version.function(ctx, offset2, source2, nullptr, key.data(), n, buckets);
      EXPECT_TRUE(close(offset2, expected.offset)) << "offset without row";
      EXPECT_TRUE(close(source2, expected.source)) << "source without row";
      version.function(ctx, offset2, nullptr, row2, key.data(), n, buckets);
      EXPECT_TRUE(close(row2, expected.row)) << "row without source";
    }
  }
}

TEST(RoutingPlan, SortsStablyAndLeavesOutKeysOutside) {
  for (const std::int64_t n : kCounts)
    for (const std::int64_t buckets : kBuckets) expect_sorted(keys_of(n, buckets), buckets);
}

TEST(RoutingPlan, BucketsMayBeEmpty) {
  expect_sorted(Ints(5000, 63), 64);  // all in the last
  expect_sorted(Ints(5000, 0), 64);   // all in the first
  expect_sorted(Ints(5000, -1), 64);  // all left out
  Ints odd = keys_of(9000, 30);
  for (std::int32_t& k : odd) k = 2 * (k & 31) + 1;  // every second one
  expect_sorted(odd, 64);
}

// Five assignments, three experts, by hand.
TEST(RoutingPlan, AgreesWithASmallCaseByHand) {
  const Ints key = {2, 0, -1, 2, 0};
  Context ctx;
  Output<std::int32_t> offset(4), source(5), row(5);
  sort_by_key(ctx, offset, source, row, key.data(), 5, 3);
  EXPECT_TRUE(close(offset, {0, 2, 2, 4}));
  EXPECT_TRUE(close(source, {1, 4, 0, 3, -1}));
  EXPECT_TRUE(close(row, {2, 0, -1, 3, 1}));
}

TEST(RoutingPlan, CapacityKeepsTheFirstOfEachBucket) {
  for (const std::int64_t n : kCounts)
    for (const std::int64_t buckets : kBuckets)
      for (const std::int64_t capacity :
           {std::int64_t{0}, std::int64_t{1}, std::int64_t{17}, std::int64_t{1} << 40}) {
        SCOPED_TRACE(concat("n ", n, " buckets ", buckets, " capacity ", capacity));
        const Ints key = keys_of(n, buckets, 2);
        Ints expected, used(buckets, 0);
        for (const std::int32_t k : key)
          expected.push_back(inside(k, buckets) && used[k]++ < capacity ? k : -1);
        for (const auto& version : versions_here(limit_per_key))
          for (const int threads : kThreadCounts) {
            Context ctx(threads);
            Output<std::int32_t> kept(n);
            version.function(ctx, kept, key.data(), n, buckets, capacity);
            EXPECT_TRUE(close(kept, expected));
            Ints in_place = key;
            version.function(ctx, in_place.data(), in_place.data(), n, buckets, capacity);
            EXPECT_TRUE(close(in_place, expected)) << "in place";
          }
      }
}

TEST(RoutingPlan, LookUpPassesMinusOneThrough) {
  const Ints table = {10, -1, 12, 13};
  for (const std::int64_t n : kCounts) {
    Ints index(n), expected;
    for (std::int64_t i = 0; i < n; ++i) index[i] = static_cast<std::int32_t>(i % 5) - 1;
    for (const std::int32_t i : index) expected.push_back(i == -1 ? -1 : table[i]);
    for (const auto& version : versions_here(look_up))
      for (const int threads : kThreadCounts) {
        Context ctx(threads);
        Output<std::int32_t> y(n);
        version.function(ctx, y, table.data(), index.data(), n);
        EXPECT_TRUE(close(y, expected)) << "n " << n;
      }
  }
}

}  // namespace
}  // namespace moe
