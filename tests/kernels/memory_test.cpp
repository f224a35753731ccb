// kernels/base: memory of every device, copies, streams and events.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/base/copy.hpp"
#include "tests/support/devices.hpp"

namespace moe {
namespace {

using namespace testing;

std::vector<std::byte> pattern(std::size_t bytes, int seed) {
  std::vector<std::byte> out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 251 + seed);
  return out;
}

TEST(DeviceMemory, BytesGoInAcrossAndOut) {
  each_device([](Context& ctx) {
    for (const std::size_t bytes : {0u, 1u, 31u, 33u, 4097u, 5u << 20}) {
      const auto n = static_cast<std::int64_t>(bytes);
      Scratch<std::byte> a(ctx, n), b(ctx, n);
      std::vector<std::byte> in = pattern(bytes, 1), out(bytes);
      const std::vector<std::byte> expected = in;
      copy_to_device(ctx, a.data(), in.data(), bytes);
      std::fill(in.begin(), in.end(), std::byte{0});  // free as soon as the call returned
      copy_on_device(ctx, b.data(), a.data(), bytes);
      fill_bytes(ctx, a.data(), 9, bytes);
      copy_to_host(ctx, out.data(), b.data(), bytes);
      EXPECT_EQ(out, expected) << bytes;
      copy_to_host(ctx, out.data(), a.data(), bytes);
      EXPECT_EQ(out, std::vector<std::byte>(bytes, std::byte{9})) << bytes;
    }
    synchronize(ctx);
  });
}

TEST(DeviceMemory, ManySmallCopiesArriveInOrder) {
  each_device([](Context& ctx) {
    constexpr std::size_t kBytes = 100'000, kTimes = 100;  // more than staging memory holds
    Scratch<std::byte> all(ctx, kBytes * kTimes);
    for (std::size_t i = 0; i < kTimes; ++i)
      copy_to_device(ctx, all.data() + i * kBytes, pattern(kBytes, static_cast<int>(i)).data(), kBytes);
    std::vector<std::byte> out(kBytes);
    for (std::size_t i = 0; i < kTimes; ++i) {
      copy_to_host(ctx, out.data(), all.data() + i * kBytes, kBytes);
      ASSERT_EQ(out, pattern(kBytes, static_cast<int>(i))) << i;
    }
  });
}

TEST(DeviceMemory, AReleasedBlockIsHandedOutAgainAndCounted) {
  each_device([](Context& ctx) {
    Allocator& memory = *ctx.allocator;
    void* const first = memory.allocate(1000);
    const std::size_t live = memory.live_bytes();
    EXPECT_GE(live, 1000u);
    memory.release(first, 1000);
    EXPECT_EQ(memory.live_bytes(), 0u);
    void* const second = memory.allocate(1010);  // the same size class
    EXPECT_EQ(first, second);
    EXPECT_EQ(memory.peak_bytes(), live);
    memory.release(second, 1010);
  });
}

TEST(DeviceMemory, BlocksAreAlignedAndApart) {
  each_device([](Context& ctx) {
    Scratch<char> a(ctx, 0), b(ctx, 1), c(ctx, 65), d(ctx, 100'000);
    std::vector<std::uintptr_t> at;
    for (Scratch<char>* s : {&a, &b, &c, &d}) at.push_back(reinterpret_cast<std::uintptr_t>(s->data()));
    for (const std::uintptr_t address : at) EXPECT_EQ(address % 64, 0u);
    std::sort(at.begin(), at.end());
    for (std::size_t i = 0; i + 1 < at.size(); ++i) EXPECT_GE(at[i + 1] - at[i], 256u);
  });
}

TEST(DeviceMemory, OutlivesItsContext) {
  std::shared_ptr<Allocator> memory;
  void* block = nullptr;
  {
    Context ctx(Device{.kind = built_for(DeviceKind::emulated) ? DeviceKind::emulated : DeviceKind::cpu});
    memory = ctx.allocator;
    block = memory->allocate(4);
    memory->copy_to_device(block, "abc", 4);
  }
  char out[4];
  memory->copy_to_host(out, block, 4);
  EXPECT_STREQ(out, "abc");
  memory->release(block, 4);
}

TEST(Stream, EventsMeasureWhatLiesBetweenThem) {
  each_device([](Context& ctx) {
    Event before(ctx.device), between(ctx.device), after(ctx.device);
    before.record(*ctx.stream);
    Scratch<std::byte> memory(ctx, 1 << 20);
    for (int i = 0; i < 20; ++i) fill_bytes(ctx, memory.data(), 1, 1 << 20);
    between.record(*ctx.stream);
    after.record(*ctx.stream);
    after.synchronize();
    ctx.stream->synchronize();
    const double work = Event::seconds_between(before, between),
                 nothing = Event::seconds_between(between, after);
    EXPECT_GT(work, 0);
    EXPECT_GE(nothing, 0);
    EXPECT_LT(nothing, work);
    EXPECT_NEAR(Event::seconds_between(before, after), work + nothing, 1e-6);
  });
}

TEST(Context, KnowsItsDevice) {
  each_device([](Context& ctx) { EXPECT_EQ(ctx.stream->device().kind, ctx.device.kind); });
  Context ctx({.kind = DeviceKind::cpu}, 0);
  EXPECT_EQ(ctx.threads, 1);
}

TEST(Context, WithoutAGpuSaysSoAndHowToMendIt) {
  if (a_gpu()) GTEST_SKIP() << "there is a GPU here";
  try {
    Context ctx({.kind = DeviceKind::cuda});
    FAIL() << "a context for a GPU that is not there";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::missing);
    const GpuReport report = gpus();
    EXPECT_NE(std::string(error.what()).find(report.problem), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(report.remedy), std::string::npos);
    EXPECT_FALSE(report.problem.empty());
    EXPECT_FALSE(report.remedy.empty());
  }
}

#ifdef MOE_HAVE_EMULATED

// ---- memory that is closed to the host ----

struct Closed {
  Closed() { ctx.allocator = make_emulated_allocator(HostAccess::forbidden); }
  Context ctx{Device{.kind = DeviceKind::emulated}, 2};
};

TEST(ClosedMemoryDeathTest, TheHostCannotReadIt) {
  Closed c;
  Scratch<float> x(c.ctx, 10);
  EXPECT_DEATH({ [[maybe_unused]] volatile float value = x[3]; }, "the host touched device memory");
}

TEST(ClosedMemoryDeathTest, TheHostCannotWriteIt) {
  Closed c;
  Scratch<float> x(c.ctx, 10);
  EXPECT_DEATH({ *static_cast<volatile float*>(x.data()) = 1; }, "the host touched device memory");
}

TEST(ClosedMemoryDeathTest, IsClosedAgainAfterALaunchAndACopy) {
  Closed c;
  Scratch<float> x(c.ctx, 1000), y(c.ctx, 1000);
  std::vector<float> ones(1000, 1), out(1000);
  copy_to_device(c.ctx, x.data(), ones.data(), 4000);
  copy_on_device(c.ctx, y.data(), x.data(), 4000);
  copy_to_host(c.ctx, out.data(), y.data(), 4000);
  EXPECT_EQ(out, ones);
  EXPECT_DEATH({ [[maybe_unused]] volatile float value = y[999]; }, "the host touched device memory");
}

// Matches text without `part`: death tests take a pattern that must match, and a POSIX one cannot say "not".
struct Without {
  using is_gtest_matcher = void;
  std::string part;
  bool MatchAndExplain(const std::string& text, std::ostream*) const {
    return text.find(part) == std::string::npos;
  }
  void DescribeTo(std::ostream* out) const { *out << "lacks " << part; }
  void DescribeNegationTo(std::ostream* out) const { *out << "holds " << part; }
};

TEST(ClosedMemoryDeathTest, AnOrdinaryFaultIsNotTakenForOne) {
  Closed c;
  int* const nowhere = reinterpret_cast<int*>(64);
  EXPECT_DEATH({ *static_cast<volatile int*>(nowhere) = 1; }, Without{.part = "the host touched"});
}

TEST(ClosedMemory, OpensAsOftenAsItCloses) {
  Closed c;
  Scratch<float> x(c.ctx, 10);
  {
    const DeviceAccess outer(*c.ctx.allocator);
    { const DeviceAccess inner(*c.ctx.allocator); }
    x[0] = 5;
    Scratch<float> fresh(c.ctx, 100'000);  // taken while open
    fresh[99'999] = 6;
    EXPECT_EQ(x[0] + fresh[99'999], 11);
  }
  EXPECT_DEATH({ [[maybe_unused]] volatile float value = x[0]; }, "the host touched device memory");
}

TEST(ClosedMemory, NewAndReusedBlocksHoldNaN) {
  Closed c;
  std::vector<float> out(100);
  const void* block = nullptr;
  {
    Scratch<float> x(c.ctx, 100);
    block = x.data();
    copy_to_host(c.ctx, out.data(), x.data(), 400);
    for (const float value : out) EXPECT_TRUE(std::isnan(value));
    fill_bytes(c.ctx, x.data(), 0, 400);
  }
  Scratch<float> x(c.ctx, 100);
  ASSERT_EQ(x.data(), block);
  copy_to_host(c.ctx, out.data(), x.data(), 400);
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
}

TEST(ClosedMemory, TwoContextsAreClosedApart) {
  Closed a, b;
  Scratch<float> x(a.ctx, 1), y(b.ctx, 1);
  const DeviceAccess access(*a.ctx.allocator);
  x[0] = 1;
  EXPECT_DEATH({ y[0] = 1; }, "the host touched device memory");
}

#endif

}  // namespace
}  // namespace moe
