// kernels/base: memory, parallel_for, random numbers, element types.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "kernels/base/caching_allocator.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/random.hpp"

namespace moe {
namespace {

// ---- memory ----

TEST(Allocator, AReleasedBlockIsHandedOutAgain) {
  const auto allocator = make_caching_allocator();
  void* const first = allocator->allocate(1000);
  allocator->release(first, 1000);
  void* const second = allocator->allocate(1010);  // the same size class
  EXPECT_EQ(first, second);
  void* const third = allocator->allocate(1000);
  EXPECT_NE(second, third);
  allocator->release(second, 1010);
  allocator->release(third, 1000);
}

TEST(Allocator, CountsLiveAndPeakBytesWithAtMostAQuarterOfWaste) {
  for (const std::size_t bytes : {1000u, 1024u, 1025u, 5000u, 1000003u}) {
    const auto allocator = make_caching_allocator();
    void* const a = allocator->allocate(bytes);
    const std::size_t live = allocator->live_bytes();
    EXPECT_GE(live, bytes);
    EXPECT_LE(live, bytes + bytes / 4);
    void* const b = allocator->allocate(bytes);
    EXPECT_EQ(allocator->live_bytes(), 2 * live);
    allocator->release(a, bytes);
    EXPECT_EQ(allocator->live_bytes(), live);
    EXPECT_EQ(allocator->peak_bytes(), 2 * live);
    allocator->release(b, bytes);
    EXPECT_EQ(allocator->live_bytes(), 0u);
    EXPECT_EQ(allocator->peak_bytes(), 2 * live);
  }
}

TEST(Allocator, BlocksLieOnCacheLinesAndDoNotOverlap) {
  Context ctx;
  Scratch<char> a(ctx, 0), b(ctx, 1), c(ctx, 65), d(ctx, 100000);
  std::set<char*> starts;
  for (Scratch<char>* s : {&a, &b, &c, &d}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(s->data()) % 64, 0u);
    EXPECT_TRUE(starts.insert(s->data()).second);
  }
  std::fill_n(c.data(), 65, 'c');
  std::fill_n(d.data(), 100000, 'd');
  EXPECT_EQ(std::count(c.data(), c.data() + 65, 'c'), 65);
}

TEST(Allocator, ServesManyThreadsAtOnce) {
  Context ctx;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&ctx, t] {
      for (int i = 0; i < 2000; ++i) {
        Scratch<int> own(ctx, 100);
        std::fill_n(own.data(), 100, t);
        ASSERT_EQ(std::count(own.data(), own.data() + 100, t), 100);  // nobody else holds this block
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ctx.allocator->live_bytes(), 0u);
}

TEST(Allocator, ThePeakStaysWhenLessIsAllocatedLater) {
  const auto allocator = make_caching_allocator();
  allocator->release(allocator->allocate(5000), 5000);
  const std::size_t peak = allocator->peak_bytes();
  void* const small = allocator->allocate(300);
  EXPECT_EQ(allocator->peak_bytes(), peak);
  allocator->release(small, 300);
}

// Room for one block: another size needs what the cache holds.
TEST(Allocator, WhenMemoryRunsOutTheCacheGoesBackFirst) {
  struct Narrow : detail::HostAllocator {
    ~Narrow() override { drop_cache(); }
    int out = 0;
    void* obtain(std::size_t bytes) override {
      if (out == 1) throw std::bad_alloc();
      ++out;
      return HostAllocator::obtain(bytes);
    }
    void give_back(void* block, std::size_t bytes) noexcept override {
      --out;
      HostAllocator::give_back(block, bytes);
    }
  } allocator;
  allocator.release(allocator.allocate(1000), 1000);
  void* const large = allocator.allocate(9000);
  EXPECT_THROW(allocator.allocate(500), std::bad_alloc);  // nothing is cached
  allocator.release(large, 9000);
  EXPECT_EQ(allocator.live_bytes(), 0u);
}

// ---- parallel_for ----

TEST(ParallelFor, VisitsEveryIndexOnceInChunksOfTheGrain) {
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t count : {0, 1, 31, 32, 33, 127, 129})
      for (const std::int64_t grain : {1, 32, 1000}) {
        Context ctx(threads);
        std::vector<int> visits(count);
        parallel_for(ctx, count, grain, [&](std::int64_t begin, std::int64_t end) {
          EXPECT_EQ(begin % grain, 0);
          EXPECT_EQ(end, std::min(begin + grain, count));
          for (std::int64_t i = begin; i < end; ++i) ++visits[i];
        });
        EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), count);
      }
}

TEST(ParallelFor, WorkersAreNumberedBelowTheThreadCount) {
  EXPECT_EQ(current_worker(), 0);
  for (const int threads : {1, 2, 3}) {
    Context ctx(threads);
    std::vector<int> worker(200, -1);
    parallel_for(ctx, 200, 1, [&](std::int64_t begin, std::int64_t) { worker[begin] = current_worker(); });
    for (const int w : worker) {
      EXPECT_GE(w, 0);
      EXPECT_LT(w, threads);
    }
  }
}

// Each of three waits until all have begun, so that each takes one chunk: its own, the same in every call.
TEST(ParallelFor, AThreadBeginsWithItsOwnShare) {
  constexpr int kThreads = 3;
  Context ctx(kThreads);
  for (int call = 0; call < 100; ++call) {
    std::atomic<int> begun = 0;
    std::vector<int> worker(kThreads, -1);
    parallel_for(ctx, kThreads, 1, [&](std::int64_t chunk, std::int64_t) {
      worker[chunk] = current_worker();
      ++begun;
      while (begun < kThreads) std::this_thread::yield();
    });
    EXPECT_EQ(worker, (std::vector<int>{0, 1, 2})) << "call " << call;
  }
}

TEST(ParallelFor, ANestedCallRunsOnTheCallingThread) {
  Context ctx(3);
  std::vector<int> strayed(64);
  parallel_for(ctx, 64, 1, [&](std::int64_t outer, std::int64_t) {
    const auto caller = std::this_thread::get_id();
    parallel_for(ctx, 10, 1,
                 [&](std::int64_t, std::int64_t) { strayed[outer] += std::this_thread::get_id() != caller; });
  });
  EXPECT_EQ(std::count(strayed.begin(), strayed.end(), 0), 64);
}

TEST(ParallelFor, PartialSumsInChunkOrderGiveTheSameBytesForAnyThreads) {
  const std::int64_t n = 10007, grain = 64, chunks = (n + grain - 1) / grain;
  std::vector<float> sums;
  for (const int threads : {1, 2, 3}) {
    Context ctx(threads);
    Scratch<float> partial(ctx, chunks);
    parallel_for(ctx, n, grain, [&](std::int64_t begin, std::int64_t end) {
      float sum = 0;
      for (std::int64_t i = begin; i < end; ++i) sum += normal({.seed = 3}, i);
      partial[begin / grain] = sum;
    });
    float sum = 0;
    for (std::int64_t i = 0; i < chunks; ++i) sum += partial[i];
    sums.push_back(sum);
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

TEST(ParallelFor, RowGrainIsAboutSixtyFourKilobytesAndNeverZero) {
  EXPECT_EQ(row_grain(1024), 64);
  EXPECT_EQ(row_grain(1 << 20), 1);
  EXPECT_EQ(row_grain(0), 65536);
}

// ---- random numbers ----

// The known answers that Random123 publishes for philox4x32-10 (kat_vectors). Our counter is
// (index, index >> 32 << 16 | layer, step, purpose) and our key the seed, so that all of them can be reached.
TEST(Philox, GivesThePublishedKnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  const auto at = [](std::uint64_t seed, Words counter) {
    const RngKey key{.seed = seed,
                     .purpose = static_cast<Purpose>(counter[3]),
                     .layer = static_cast<std::uint16_t>(counter[1]),
                     .step = counter[2]};
    return philox(key, counter[0] | std::uint64_t{counter[1] >> 16} << 32);
  };
  EXPECT_EQ(at(0, {0, 0, 0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(at(~0ull, {~0u, ~0u, ~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(at(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryFieldOfTheKeyStartsAnotherStream) {
  const RngKey base{.seed = 1, .purpose = Purpose::init, .layer = 2, .step = 3};
  std::vector<RngKey> keys(6, base);
  keys[1].seed = 2;
  keys[2].seed = base.seed | std::uint64_t{1} << 32;
  keys[3].purpose = Purpose::batch;
  keys[4].layer = 3;
  keys[5].step = 4;
  std::set<std::array<std::uint32_t, 4>> seen;
  for (const RngKey& key : keys)
    for (const std::uint64_t index : {0ull, 1ull, 2ull, 1ull << 32, (1ull << 48) - 1})
      seen.insert(philox(key, index));
  EXPECT_EQ(seen.size(), 30u);
}

TEST(Random, UniformNumbersLieInTheirRangeEvenly) {
  EXPECT_EQ(to_uniform(0), 0.f);
  EXPECT_LT(to_uniform(~0u), 1.f);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) sum += uniform({.seed = 4}, i);
  EXPECT_NEAR(sum / 100000, 0.5, 5 * std::sqrt(1.0 / 12 / 100000));  // five standard errors
}

TEST(Random, NormalNumbersHaveTheMomentsOfTheBellCurve) {
  const int n = 200000;
  double moment[5] = {};
  for (int i = 0; i < n; ++i) {
    const double x = normal({.seed = 5}, i);
    ASSERT_TRUE(std::isfinite(x));
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k) / n;
  }
  const double error = 5 / std::sqrt(n);  // five standard errors, times the deviation of x^k
  EXPECT_NEAR(moment[1], 0, error);
  EXPECT_NEAR(moment[2], 1, error * std::sqrt(2));
  EXPECT_NEAR(moment[3], 0, error * std::sqrt(15));
  EXPECT_NEAR(moment[4], 3, error * std::sqrt(96));
}

// ---- dtype ----

TEST(Dispatch, ChoosesTheTypeOfTheDtype) {
  EXPECT_EQ(dispatch(DType::f32, []<class T>(T) { return sizeof(T); }), 4u);
  EXPECT_EQ(dispatch(DType::f64, []<class T>(T) { return sizeof(T); }), 8u);
  EXPECT_THROW(dispatch(DType::i32, []<class T>(T) { return sizeof(T); }), Error);
}

}  // namespace
}  // namespace moe
