#include "common/app/main.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <new>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

template <class Exception>
int run_and_throw(const Exception& exception) {
  return run_main([&]() -> int { throw exception; });
}

// run_main in a child whose standard output is `fd`; never returns.
void write_to(int fd) {
  dup2(fd, STDOUT_FILENO);
  std::_Exit(run_main([] {
    for (int line = 0; line < 100000; ++line) std::cout << "line " << line << "\n";
    return 0;
  }));
}

TEST(RunMain, ReturnsWhatTheBodyReturns) {
  EXPECT_EQ(run_main([] { return 0; }), 0);
  EXPECT_EQ(run_main([] { return 1; }), 1);
}

TEST(RunMain, UserErrorsSayWhatAndHowToMendIt) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_and_throw(UserError(ExitCode::missing, "no gnuplot", "apt-get install gnuplot-nox")), 3);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "error: no gnuplot\n  apt-get install gnuplot-nox\n");
}

TEST(RunMain, FailedChecksAreInternalErrors) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_main([]() -> int {
              MOE_CHECK(1 == 2, "rows ", 3);
              return 0;
            }),
            kExitInternal);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("internal error: ", 0), 0u) << text;
  EXPECT_NE(text.find("1 == 2"), std::string::npos) << text;
}

TEST(RunMain, OutOfMemoryIsReadable) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_and_throw(std::bad_alloc()), kExitInternal);
  EXPECT_EQ(::testing::internal::GetCapturedStderr().rfind("error: out of memory\n", 0), 0u);
}

TEST(RunMain, ThingsThatAreNoExceptionsAreCaughtToo) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_and_throw(42), kExitInternal);
  ::testing::internal::GetCapturedStderr();
}

TEST(RunMain, AReaderThatGoesAwayIsNoError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EXIT(write_to(ends[1]), ::testing::ExitedWithCode(0), "^$");
  close(ends[1]);
}

TEST(RunMain, AFullDiskIsAnError) {
  const int full = open("/dev/full", O_WRONLY);
  if (full < 0) GTEST_SKIP() << "no /dev/full";
  EXPECT_EXIT(write_to(full), ::testing::ExitedWithCode(4), "cannot write to standard output");
  close(full);
}

TEST(RunMain, TheVersionHasThreeNumbers) {
  int major = -1, minor = -1, patch = -1;
  EXPECT_EQ(std::sscanf(version(), "%d.%d.%d", &major, &minor, &patch), 3);
}

}  // namespace
}  // namespace moe
