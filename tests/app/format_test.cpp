#include "common/app/format.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace moe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Format, DurationsReadAsPeopleSayThem) {
  EXPECT_EQ(format_duration(0), "0.00s");
  EXPECT_EQ(format_duration(0.424), "0.42s");
  EXPECT_EQ(format_duration(8.06), "8.1s");
  EXPECT_EQ(format_duration(9.96), "10s");
  EXPECT_EQ(format_duration(59.4), "59s");
  EXPECT_EQ(format_duration(59.6), "1m00s");
  EXPECT_EQ(format_duration(72), "1m12s");
  EXPECT_EQ(format_duration(7380), "2h03m");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600), "3d04h");
}

TEST(Format, AnUnknownDurationIsAQuestionMark) {
  EXPECT_EQ(format_duration(kNaN), "?");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(HUGE_VAL), "?");
}

TEST(Format, CountsHaveThreeDigitsAndADecimalPrefix) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1.00k");
  EXPECT_EQ(format_count(9996), "10.0k");
  EXPECT_EQ(format_count(21400), "21.4k");
  EXPECT_EQ(format_count(99960), "100k");
  EXPECT_EQ(format_count(999600), "1.00M");
  EXPECT_EQ(format_count(3.2e6), "3.20M");
  EXPECT_EQ(format_count(17.4e12), "17.4T");
  EXPECT_EQ(format_count(5e21), format_fixed(5e6, 0) + "P") << "there is no larger prefix";
  EXPECT_EQ(format_count(0.5), "0.50");
  EXPECT_EQ(format_count(-2500), "-2.50k");
  EXPECT_EQ(format_count(kNaN), "nan");
}

TEST(Format, BytesHaveBinaryPrefixes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(2.0 * 1024 * 1024 * 1024), "2.00 GiB");
}

TEST(Format, FixedPercentAndScientific) {
  EXPECT_EQ(format_fixed(2.4129, 3), "2.413");
  EXPECT_EQ(format_fixed(kNaN, 3), "nan");
  EXPECT_EQ(format_fixed(-HUGE_VAL, 3), "-inf");
  EXPECT_EQ(format_fixed(1e300, 3), "1.0e+300");
  EXPECT_EQ(format_percent(0.142), "14.2%");
  EXPECT_EQ(format_scientific(3e-4), "3.0e-04");
}

}  // namespace
}  // namespace moe
