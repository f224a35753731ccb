// kernels/base/cuda: what is said when CUDA fails. Plain text, so that it is tested without CUDA too.
#include <gtest/gtest.h>

#include "kernels/base/context.hpp"
#include "kernels/base/cuda/advice.hpp"
#include "kernels/base/cuda/runtime.hpp"

namespace moe::cuda {
namespace {

constexpr int kInsufficientDriver = 35;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CudaAdvice, ADriverThatIsTooOldIsNotTheSameAsNone) {
  const auto none = advice_for(kInsufficientDriver, {.toolkit = "13.0"});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->what, "there is no NVIDIA driver here");
  const auto old = advice_for(kInsufficientDriver, {.toolkit = "13.0", .driver = "12.4"});
  ASSERT_TRUE(old);
  EXPECT_TRUE(contains(old->what, "12.4"));
  EXPECT_TRUE(contains(old->what, "13.0"));
  EXPECT_TRUE(contains(old->remedy, "cuda-12/bin/nvcc cmake --fresh"));
  const auto older = advice_for(kInsufficientDriver, {.toolkit = "13.0", .driver = "11.4"});
  ASSERT_TRUE(older);
  EXPECT_FALSE(contains(older->remedy, "nvcc")) << "no C++20";
}

TEST(CudaAdvice, NoKernelImageNamesTheCommandThatBuildsOne) {
  const auto advice =
      advice_for(kNoKernelImage, {.gpu = "RTX 5090", .sm = 120, .architectures = "75-real,80"});
  ASSERT_TRUE(advice);
  EXPECT_TRUE(contains(advice->what, "RTX 5090"));
  EXPECT_TRUE(contains(advice->what, "75-real,80"));
  EXPECT_TRUE(contains(advice->remedy, "-DMOE_CUDA_ARCHITECTURES=120"));
  const auto old = advice_for(kNoKernelImage, {.gpu = "Tesla V100", .sm = 70, .architectures = "75"});
  ASSERT_TRUE(old);
  EXPECT_TRUE(contains(old->what, "75 (Turing)"));
  EXPECT_FALSE(contains(old->remedy, "MOE_CUDA_ARCHITECTURES")) << "nvcc could not build for it";
}

TEST(CudaAdvice, EveryFaultOfTheMachineHasARemedyAndFaultsOfTheProgramHaveNone) {
  for (const int code : {2, 35, 46, 100, 101, 209, 222, 802, 803, 804, 999}) {
    const auto advice = advice_for(code, {});
    ASSERT_TRUE(advice) << code;
    EXPECT_FALSE(advice->what.empty());
    EXPECT_FALSE(advice->remedy.empty());
  }
  for (const int code : {1, 9, 98, 400, 700, 716}) EXPECT_FALSE(advice_for(code, {})) << code;
}

TEST(CudaAdvice, CodeRunsWhereCudaSaysItRuns) {
  EXPECT_EQ(code_for("75,80", 75), 75);
  EXPECT_EQ(code_for("75,80", 86), 80);
  EXPECT_EQ(code_for("75,80", 120), 80) << "from PTX";
  EXPECT_EQ(code_for("75,80", 70), 0);
  EXPECT_EQ(code_for("", 80), 0);
  EXPECT_EQ(code_for("80-real", 89), 80);
  EXPECT_EQ(code_for("80-real", 90), 0) << "machine code of another family, and no PTX";
  EXPECT_EQ(code_for("86-real", 80), 0);
  EXPECT_EQ(code_for("80-virtual", 90), 80);
  EXPECT_EQ(code_for("90a", 90), 90);
  EXPECT_EQ(code_for("90a", 100), 0);
  EXPECT_EQ(code_for("100f", 103), 100);
  EXPECT_EQ(code_for("100f", 120), 0);
  EXPECT_EQ(code_for("native", 89), 89);
  EXPECT_EQ(code_for("all-major", 90), 90);
}

TEST(CudaAdvice, ANewGpuIsOnlyAsNewAsTheCodeItRuns) {
  EXPECT_EQ(code_for("75", 90), 75) << "the kernels for tensor cores are empty in it";
  EXPECT_EQ(code_for("75,90-real", 100), 75);
  EXPECT_EQ(code_for("80,86-virtual", 86), 80) << "machine code goes before PTX";
}

TEST(CudaAdvice, VersionsAsPeopleWriteThem) {
  EXPECT_EQ(version_text(12040), "12.4");
  EXPECT_EQ(version_text(13000), "13.0");
  EXPECT_EQ(version_text(0), "");
}

TEST(GpuReport, EitherFindsAGpuThatRunsOrSaysWhyNot) {
  const GpuReport report = gpus();
  EXPECT_EQ(report.built, built_for(DeviceKind::cuda));
  EXPECT_EQ(report.usable() == nullptr, !report.problem.empty());
  EXPECT_EQ(report.problem.empty(), report.remedy.empty());
  EXPECT_EQ(report.built, !report.toolkit.empty());
  EXPECT_EQ(report.built, !report.architectures.empty());
}

TEST(GpuReport, TheFirstThatRunsIsTaken) {
  GpuReport report;
  EXPECT_EQ(report.usable(), nullptr);
  report.gpus = {{.index = 0, .sm = 70}, {.index = 1, .sm = 90, .runs = true}};
  ASSERT_NE(report.usable(), nullptr);
  EXPECT_EQ(report.usable()->index, 1);
}

}  // namespace
}  // namespace moe::cuda
