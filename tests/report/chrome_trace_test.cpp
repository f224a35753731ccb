#include "common/report/chrome_trace.hpp"

#include <gtest/gtest.h>

namespace moe {
namespace {

TEST(ChromeTrace, EventsAreCompleteAndInMicroseconds) {
  const std::vector<Profiler::Event> events{{"moe.dispatch", 0.5, 0.0012345}, {"a \"b\"", 1, 0}};
  EXPECT_EQ(
      chrome_trace(events, "demo"),
      "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_"
      "name\","
      "\"args\":{\"name\":\"demo\"}},\n"
      "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":\"moe.dispatch\",\"ts\":500000.000,\"dur\":1234.500},\n"
      "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":\"a \\\"b\\\"\",\"ts\":1000000.000,\"dur\":0.000}]}\n");
}

TEST(ChromeTrace, NoEventsIsStillJson) {
  EXPECT_EQ(chrome_trace({}).back(), '\n');
  EXPECT_NE(chrome_trace({}).find("}}]}"), std::string::npos);
}

TEST(ChromeTrace, AProfilersScopesArrive) {
  Context ctx;
  Profiler profiler(true);
  ctx.profiler = &profiler;
  {
    Scope outer(ctx, "outer");
    Scope inner(ctx, "inner");
  }
  const std::string text = chrome_trace(profiler.events());
  EXPECT_NE(text.find("\"outer\""), std::string::npos);
  EXPECT_NE(text.find("\"inner\""), std::string::npos);
}

}  // namespace
}  // namespace moe
