// common/app/device: which device a flag means, on machines that are made up here.
#include "common/app/device.hpp"

#include <gtest/gtest.h>

#include "kernels/base/context.hpp"

namespace moe {
namespace {

GpuReport none() {
  return {.problem = "there is no driver", .remedy = "install one"};
}
// The first GPU is none that this build has code for.
GpuReport two() {
  GpuReport report{.built = true, .architectures = "90"};
  report.gpus = {
      {.index = 0, .name = "Old", .sm = 75},
      {.index = 1, .name = "New", .sm = 90, .bytes = std::size_t{80} << 30, .runs = true, .code = 90}};
  return report;
}
GpuReport not_asked() {
  ADD_FAILURE() << "asked for GPUs";
  return none();
}

ExitCode code_of(const std::string& text, GpuReport (*find)(), const std::string& says) {
  try {
    choose_device(text, find);
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    return error.code();
  }
  ADD_FAILURE() << text << " was taken";
  return ExitCode::ok;
}

TEST(Device, CpuAndEmulatedAskForNoGpu) {
  EXPECT_EQ(choose_device("cpu", not_asked).device.kind, DeviceKind::cpu);
  for (const DeviceKind kind : {DeviceKind::emulated, DeviceKind::checked})
    if (built_for(kind))
      EXPECT_EQ(choose_device(name_of(kind), not_asked).device.kind, kind);
    else
      EXPECT_EQ(code_of(name_of(kind), not_asked, "this build has no"), ExitCode::missing);
}

TEST(Device, AutoTakesTheFirstGpuThatWorks) {
  const DeviceChoice choice = choose_device("auto", two);
  EXPECT_EQ(choice.device.kind, DeviceKind::cuda);
  EXPECT_EQ(choice.device.index, 1);
  EXPECT_EQ(choice.device.sm, 90);
  EXPECT_EQ(choice.why, "New, 80.0 GiB, sm_90");
}

TEST(Device, AutoTakesTheCpuOtherwiseAndSaysWhy) {
  const DeviceChoice choice = choose_device("auto", none);
  EXPECT_EQ(choice.device.kind, DeviceKind::cpu);
  EXPECT_EQ(choice.why, "no GPU: there is no driver");
}

TEST(Device, CudaTakesTheFirstThatWorksOrTheOneNamed) {
  EXPECT_EQ(choose_device("cuda", two).device.index, 1);
  EXPECT_EQ(choose_device("cuda:1", two).device.index, 1);
}

TEST(Device, CudaWithoutAGpuIsMissingWithTheRemedy) {
  EXPECT_EQ(code_of("cuda", none, "install one"), ExitCode::missing);
  EXPECT_EQ(code_of("cuda:0", none, "there is no driver"), ExitCode::missing);
  EXPECT_EQ(code_of("cuda:0", two, "-DMOE_CUDA_ARCHITECTURES=75"), ExitCode::missing);
  EXPECT_EQ(code_of("cuda:2", two, "only 0 to 1"), ExitCode::missing);
}

TEST(Device, AnotherTextIsAUsageErrorThatListsTheDevices) {
  for (const char* text : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda1", "emulated:0"})
    EXPECT_EQ(code_of(text, not_asked, "cuda:N"), ExitCode::usage) << text;
}

TEST(Device, AutoNeverFailsOnThisMachine) {
  EXPECT_NO_THROW(choose_device("auto"));
}

// The device runs code made for an older one of its kind.
TEST(Device, RunsTheCodeThatThisBuildHas) {
  const DeviceChoice choice = choose_device("auto", [] {
    GpuReport report{.built = true, .architectures = "80"};
    report.gpus = {{.index = 0, .name = "Ada", .sm = 89, .runs = true, .code = 80}};
    return report;
  });
  EXPECT_EQ(choice.device.sm, 80);
  EXPECT_NE(choice.why.find("sm_89"), std::string::npos) << choice.why;
}

}  // namespace
}  // namespace moe
