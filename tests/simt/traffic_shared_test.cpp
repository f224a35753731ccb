// Bank conflicts, atomics and tensor cores as the checked device counts them, against cases worked out by hand:
// requests, lanes, passes/least.
#include "tests/simt/traffic/counts.hpp"

#ifdef MOE_HAVE_CHECKED

namespace moe {
namespace {

using namespace testing;

TEST(TrafficShared, TranspositionConflictsWithoutPadding) {
  MOE_SKIP_WITHOUT_LINES();
  const simt::Traffic plain = traffic_of(kernels_checked::transposition, 0);
  EXPECT_EQ(counts(plain, "into tile", kGlobal, kLoad), "32 1024 128/128");
  EXPECT_EQ(counts(plain, "into tile", kShared, kStore), "32 1024 32/32");
  EXPECT_EQ(counts(plain, "out of tile", kShared, kLoad), "32 1024 1024/32");
  EXPECT_EQ(counts(plain, "out of tile", kGlobal, kStore), "32 1024 128/128");
  const simt::Traffic padded = traffic_of(kernels_checked::transposition, 1);
  EXPECT_EQ(counts(padded, "into tile", kShared, kStore), "32 1024 32/32");
  EXPECT_EQ(counts(padded, "out of tile", kShared, kLoad), "32 1024 32/32");
}

TEST(TrafficShared, StridesMeetInBanksAndOneWordIsShared) {
  MOE_SKIP_WITHOUT_LINES();
  const auto of = [](int stride) {
    return counts(traffic_of(kernels_checked::shared_strided, stride), "shared stride", kShared, kLoad);
  };
  EXPECT_EQ(of(0), "1 32 1/1");
  EXPECT_EQ(of(1), "1 32 1/1");
  EXPECT_EQ(of(2), "1 32 2/1");
  EXPECT_EQ(of(3), "1 32 1/1");
  EXPECT_EQ(of(4), "1 32 4/1");
  EXPECT_EQ(of(31), "1 32 1/1");
  EXPECT_EQ(of(32), "1 32 32/1");
}

TEST(TrafficShared, VectorsAreServedByQuarters) {
  MOE_SKIP_WITHOUT_LINES();
  const auto of = [](int stride) {
    return counts(traffic_of(kernels_checked::shared_vectors, stride), "shared vectors", kShared, kLoad);
  };
  EXPECT_EQ(of(1), "1 32 4/4");
  EXPECT_EQ(of(2), "1 32 8/4");
  EXPECT_EQ(of(3), "1 32 4/4");
  EXPECT_EQ(counts(traffic_of(kernels_checked::shared_vectors, 1), "shared vectors in", kShared, kStore),
            "4 128 16/16");
}

TEST(TrafficShared, HalvesOfAWordAreOneWord) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(counts(traffic_of(kernels_checked::shared_halves), "halves", kShared, kLoad), "1 32 1/1");
}

TEST(TrafficAtomics, OfOneSharedWordTakeTurns) {
  MOE_SKIP_WITHOUT_LINES();
  const auto of = [](int words) {  // of integers and, by compare and swap, of floats
    return counts(traffic_of(kernels_checked::shared_atomics, words), "shared atomic", kShared, kAtomic);
  };
  EXPECT_EQ(of(32), "2 64 2/2");
  EXPECT_EQ(of(4), "2 64 16/2");
  EXPECT_EQ(of(1), "2 64 64/2");
}

TEST(TrafficAtomics, OfGlobalMemoryAreSectors) {
  MOE_SKIP_WITHOUT_LINES();
  const auto of = [](int words) {
    return counts(traffic_of(kernels_checked::global_atomics, words), "global atomic", kGlobal, kAtomic);
  };
  EXPECT_EQ(of(32), "1 32 4/4");
  EXPECT_EQ(of(1), "1 32 1/1");
}

TEST(TrafficTensorCores, RowsOfMatricesMeetInBanks) {
  MOE_SKIP_WITHOUT_LINES();
  const auto of = [](int pitch) {
    return counts(traffic_of(kernels_checked::matrix_rows, pitch), "ldmatrix", kShared, kLoad);
  };
  EXPECT_EQ(of(16), "1 32 4/4");
  EXPECT_EQ(of(80), "1 32 4/4");
  EXPECT_EQ(of(128), "1 32 32/4");
}

TEST(TrafficTensorCores, AsynchronousCopiesCountWhereTheyAreIssued) {
  MOE_SKIP_WITHOUT_LINES();
  const simt::Traffic traffic = traffic_of(kernels_checked::asynchronous_copy);
  EXPECT_EQ(counts(traffic, "cp.async", kGlobal, kLoad), "1 32 16/16");
  EXPECT_EQ(counts(traffic, "cp.async", kShared, kStore), "1 32 4/4");
  EXPECT_EQ(counts(traffic, "wait", kShared, kStore), "0 0 0/0");
  EXPECT_EQ(counts(traffic, "wait", kGlobal, kLoad), "0 0 0/0");
}

}  // namespace
}  // namespace moe

#endif
