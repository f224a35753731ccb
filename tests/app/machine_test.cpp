#include "common/app/machine.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace moe {
namespace {

TEST(Machine, QuotasGiveWholeCores) {
  EXPECT_EQ(cores_from_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(cores_from_cpu_max(""), std::nullopt);
  EXPECT_EQ(cores_from_cpu_max("200000 0"), std::nullopt);
  EXPECT_EQ(cores_from_cpu_max("-1 100000"), std::nullopt);
  EXPECT_EQ(cores_from_cpu_max("50000 100000"), 1);
  EXPECT_EQ(cores_from_cpu_max("199999 100000"), 1);
  EXPECT_EQ(cores_from_cpu_max("200000 100000"), 2);
}

TEST(Machine, ThisOneHasCoresMemoryAndAName) {
  const Machine machine = this_machine();
  EXPECT_GE(machine.cores, 1);
  EXPECT_LE(machine.cores, static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_GT(machine.memory, 1 << 20);
  EXPECT_FALSE(machine.cpu.empty());
}

TEST(Machine, OneLineSaysItAll) {
  EXPECT_EQ(describe({"Abacus 9", "Debian 12", 2, std::int64_t{8} << 30}),
            "Abacus 9, 2 cores, 8.00 GiB, Debian 12");
  EXPECT_EQ(describe({"Abacus 9", "Debian 12", 1, std::int64_t{8} << 30}),
            "Abacus 9, 1 core, 8.00 GiB, Debian 12");
}

TEST(Machine, PeakMemoryGrowsWithUse) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const std::int64_t before = peak_resident_bytes();
  std::vector<char> block(kBytes, 1);
  ASSERT_EQ(block[kBytes / 2], 1);
  EXPECT_GE(peak_resident_bytes(), std::min<std::int64_t>(before + 1, kBytes));
}

}  // namespace
}  // namespace moe
