#include "common/app/kernel_choice.hpp"

#include <gtest/gtest.h>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr Device kCpu{};

std::string complaint(const std::string& text, const Device& device) {
  try {
    parse_kernel_choice(text, device);
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(KernelChoice, NamesOperationsAndVersions) {
  EXPECT_TRUE(parse_kernel_choice("", kCpu).empty());
  const auto chosen = parse_kernel_choice("gemm=plain,grouped_ffn=fused", kCpu);
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].operation, "gemm");
  EXPECT_EQ(chosen[0].version, "plain");
  EXPECT_EQ(chosen[1].version, "fused");
}

TEST(KernelChoice, WhatIsNotThereIsNamed) {
  EXPECT_NE(complaint("gem=plain", kCpu).find("no operation 'gem'"), std::string::npos);
  for (const char* text : {"gemm", "gemm=", "gemm=1_tiled", "gemm=plain,gemm=quick"})
    EXPECT_NE(complaint(text, kCpu).find("there are: plain"), std::string::npos) << text;
}

#ifdef MOE_HAVE_EMULATED
TEST(KernelChoice, EachDeviceHasItsOwn) {
  const Device emulated{DeviceKind::emulated, 0, 75};
  EXPECT_EQ(parse_kernel_choice("grouped_ffn=0_library", emulated).size(), 1u);
  EXPECT_NE(complaint("grouped_ffn=fused", emulated).find("0_library, 1_tiled"), std::string::npos);
  EXPECT_NE(complaint("gemm=3_mma", emulated), "");  // too new for it
}
#endif

}  // namespace
}  // namespace moe
