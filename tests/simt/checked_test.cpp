// What the checked device calls wrong, and what just is not: each border from both sides.
#include "tests/simt/checked/cases.hpp"
#include "tests/simt/support.hpp"
#include "tests/support/on_device.hpp"

#ifdef MOE_HAVE_CHECKED

namespace moe {
namespace {

using namespace testing;

constexpr std::int64_t kN = 99;

// "" or the report of one run in fresh memory.
std::string report_of(BorderKernel* kernel, bool wrong, std::uint64_t order = 0) {
  Context ctx({.kind = DeviceKind::checked}, 2);
  ctx.emulated_order = order;
  OnDevice<float> y(ctx, kN), x(ctx, random_normal<float>(kN, 1));
  try {
    kernel(ctx, wrong, y, x, kN);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_border(BorderKernel* kernel, const std::vector<std::string>& parts) {
  for (const std::uint64_t order : kOrders)
    EXPECT_EQ(report_of(kernel, false, order), "") << "order " << order;
  const std::string report = report_of(kernel, true);
  EXPECT_TRUE(says(report, parts));
  EXPECT_EQ(report_of(kernel, false), "") << "after an error the next launch works";
}

TEST(CheckedRaces, NeighboursInOneCellAreApart) {
  expect_border(kernels_checked::neighbouring_bytes, {"data race in a block, 1 byte from byte 0"});
  expect_border(kernels_checked::neighbouring_halves, {"data race in a block, 2 bytes from byte 0"});
}

TEST(CheckedRaces, SyncWarpOrdersTheLanesOfItsMask) {
  expect_border(kernels_checked::half_warps, {"data race in a block", "shared row"});
}

TEST(CheckedRaces, ShufflesOrderNoMemory) {
  expect_border(kernels_checked::shuffle_between, {"data race in a block", "shared row"});
}

TEST(CheckedRaces, AtomicsRaceWithPlainAccesses) {
  expect_border(kernels_checked::atomic_then_plain,
                {"data race in a block", "shared sum", "updates atomically at", "read at"});
}

TEST(CheckedRaces, BarriersAreCountedForLong) {
  expect_border(kernels_checked::many_barriers, {"data race in a block", "shared round"});
}

TEST(CheckedRaces, LaunchesAreOrdered) {
  expect_border(kernels_checked::two_launches,
                {"data race in a block", "thread (1, 0, 0) writes at", "thread (0, 0, 0) read at"});
}

TEST(CheckedBounds, CopiesAreWatchedToTheirLastByte) {
  expect_border(kernels_checked::block_copy, {"out of bounds",
                                              "reads 397 bytes past the end, from byte 0 of an"
                                              " allocation of 396 bytes (argument 2)"});
}

TEST(CheckedBounds, CopiesOfAFixedSizeAreWatchedToo) {
  expect_border(kernels_checked::fixed_copy, {"out of bounds", "reads 24 bytes past the end, from byte 376"});
  expect_border(kernels_checked::fixed_fill,
                {"out of bounds", "writes 24 bytes past the end, from byte 376"});
}

TEST(CheckedBounds, AVectorMustLieInsideAsAWhole) {
  expect_border(
      kernels_checked::last_vector,
      {"out of bounds", "reads 16 bytes past the end, from byte 384 of an allocation of 396 bytes"});
}

TEST(CheckedBounds, LocalVariablesBelongToTheirThread) {
  expect_border(kernels_checked::local_of_another, {"out of bounds", "in another thread's local variables"});
}

TEST(CheckedBounds, ConstantsAreReadNotWritten) {
  expect_border(kernels_checked::constants, {"out of bounds", "writes 4 bytes in constants of the program"});
}

TEST(CheckedBounds, MemoryNobodyToldOfIsOutside) {
  Context ctx({.kind = DeviceKind::checked});
  std::vector<float> x(kN, 1);
  OnDevice<float> y(ctx, kN);
  const auto run = [&] { kernels_checked::two_launches(ctx, false, y, x.data(), kN); };
  EXPECT_TRUE(says(error_of(run), {"out of bounds"}));
  simt::memory_allocated(x.data(), kN * sizeof(float));
  EXPECT_TRUE(says(error_of(run), {"uninitialised"}));
  simt::memory_written(x.data(), kN * sizeof(float));
  run();
  simt::memory_released(x.data());
  EXPECT_TRUE(says(error_of(run), {"memory that was released"}));
}

TEST(CheckedValues, SharedMemoryStartsUndefinedInEveryBlock) {
  expect_border(kernels_checked::shared_of_last_block,
                {"uninitialised: block (1, 0, 0) thread (0, 0, 0) reads 4 bytes", "shared kept"});
}

TEST(CheckedValues, EveryByteCounts) {
  expect_border(kernels_checked::half_written, {"uninitialised", "reads 8 bytes"});
}

TEST(CheckedValues, FillsAndCopiesOfTheHostDefine) {
  Context ctx({.kind = DeviceKind::checked});
  OnDevice<float> a(ctx, kN), b(ctx, kN), y(ctx, kN);
  fill_bytes(ctx, a.data(), 0, kN * sizeof(float));
  copy_on_device(ctx, b.data(), a.data(), kN * sizeof(float));
  kernels_checked::two_launches(ctx, false, y, b, kN);
  EXPECT_TRUE(close(y.vector(), std::vector<float>(kN, 0)));
}

}  // namespace
}  // namespace moe

#endif
