#include "kernels/base/trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace moe {
namespace {

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

const Profiler::Row& row_of(const std::vector<Profiler::Row>& rows, const std::string& name) {
  return *std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
}

TEST(Profiler, SelfTimeLeavesNestedScopesOut) {
  Profiler profiler(true);
  Context ctx;
  ctx.profiler = &profiler;
  {
    Scope outer(ctx, "outer");
    wait(0.01);
    for (int i = 0; i < 2; ++i) {
      Scope inner(ctx, "inner");
      wait(0.02);
    }
  }
  const auto rows = profiler.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "inner");  // by falling self time
  EXPECT_EQ(rows[0].calls, 2);
  EXPECT_EQ(rows[1].calls, 1);
  EXPECT_GE(rows[0].seconds, 0.04);
  EXPECT_GE(rows[1].seconds, 0.01);
  ASSERT_EQ(profiler.events().size(), 3u);
  const Profiler::Event& outer = profiler.events().back();  // events stand in the order of their ends
  EXPECT_STREQ(outer.name, "outer");
  EXPECT_NEAR(outer.duration, rows[0].seconds + rows[1].seconds, 1e-9);
  for (int i = 0; i < 2; ++i) {
    const Profiler::Event& inner = profiler.events()[i];
    EXPECT_GE(inner.start, outer.start);
    EXPECT_LE(inner.start + inner.duration, outer.start + outer.duration + 1e-9);
  }
}

TEST(Profiler, BytesAndFlopsGoToTheInnermostScope) {
  Profiler profiler;
  Context ctx;
  ctx.profiler = &profiler;
  account(ctx, 1000, 1000);  // no scope is open: counted nowhere
  {
    Scope outer(ctx, "outer");
    account(ctx, 1, 10);
    {
      Scope inner(ctx, "inner");
      account(ctx, 2, 20);
      account(ctx, 3);
    }
    account(ctx, 4, 40);
  }
  const auto rows = profiler.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(row_of(rows, "outer").bytes, 5);
  EXPECT_EQ(row_of(rows, "outer").flops, 50);
  EXPECT_EQ(row_of(rows, "inner").bytes, 5);
  EXPECT_EQ(row_of(rows, "inner").flops, 20);
  EXPECT_TRUE(profiler.events().empty());
  profiler.reset();
  EXPECT_TRUE(profiler.rows().empty());
}

TEST(Profiler, WithoutOneScopesCostNothingAndDoNothing) {
  Context ctx;
  Scope scope(ctx, "nobody listens");
  account(ctx, 1, 1);
}

}  // namespace
}  // namespace moe
