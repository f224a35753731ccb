#include "common/app/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "common/app/utf8.hpp"

namespace moe {
namespace {

// A pipe in place of stderr, and a clock that the test turns.
struct Bench {
  Bench() { EXPECT_EQ(pipe(ends), 0); }
  ~Bench() { close(ends[0]); }
  ProgressOptions options(bool quiet = false) {
    return {.quiet = quiet, .plain_interval = 5, .fd = ends[1], .clock = [this] { return now; }};
  }
  std::string written() {  // all that was written; call once, at the end
    close(ends[1]);
    std::string text(1 << 16, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(ends[0], text.data(), text.size()))));
    return text;
  }
  int ends[2];
  double now = 100;
};

TEST(Progress, PlainLinesComeEveryFewSecondsAndAtTheEnd) {
  Bench bench;
  {
    Progress progress(100, bench.options());
    for (int step = 1; step <= 100; ++step) {
      bench.now += 0.125;  // exact in binary
      progress.update(step, {"loss 2.413"});
    }
  }
  EXPECT_EQ(bench.written(),
            "  0.12s  step 1/100 | loss 2.413 | eta 12s\n"
            "   5.1s  step 41/100 | loss 2.413 | eta 7.4s\n"
            "    10s  step 81/100 | loss 2.413 | eta 2.4s\n"
            "    13s  step 100/100 | loss 2.413 | took 13s\n");
}

TEST(Progress, ALineHeldBackComesAtTheEnd) {
  Bench bench;
  {
    Progress progress(100, bench.options());
    bench.now += 1;
    progress.update(1, {});
    bench.now += 1;
    progress.update(2, {});
  }
  EXPECT_EQ(bench.written(), "   1.0s  step 1/100 | eta 1m39s\n   2.0s  step 2/100 | eta 1m38s\n");
}

TEST(Progress, QuietWritesNothing) {
  Bench bench;
  {
    Progress progress(2, bench.options(true));
    EXPECT_FALSE(progress.due(1));
    progress.update(1, {"loss 1"});
    progress.note("saved");
    progress.update(2, {"loss 1"});
  }
  EXPECT_EQ(bench.written(), "");
}

TEST(Progress, NotesAreLinesOfTheirOwn) {
  Bench bench;
  { Progress(5, bench.options()).note("checkpoint saved"); }
  EXPECT_EQ(bench.written(), "checkpoint saved\n");
}

TEST(Progress, NothingIsShownBeforeTheFirstUpdate) {
  Bench bench;
  { const Progress progress(5, bench.options()); }
  EXPECT_EQ(bench.written(), "");
}

// A line that is drawn over itself, never wider than the terminal, and a note that does not tear it.
TEST(Progress, OnATerminalOneLineIsDrawnOverItself) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_TRUE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  const int fd = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  const winsize size{.ws_row = 24, .ws_col = 33, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(ioctl(fd, TIOCSWINSZ, &size), 0);
  double now = 100;
  {
    Progress progress(3, {.fd = fd, .clock = [&now] { return now; }});
    now += 1;
    progress.update(1, {"loss 2.4", "a field too many"});
    now += 0.01;
    progress.update(2, {"loss 2.3"});  // too soon to be drawn
    progress.note("saved");
    now += 1;
    progress.update(3, {"loss 2.2"});
  }
  close(fd);
  std::string text;
  char some[256];
  // A terminal hands its bytes on when it likes; the end is an error once nobody has it open.
  for (ssize_t n; (n = read(terminal, some, sizeof some)) > 0;)
    text.append(some, static_cast<std::size_t>(n));
  close(terminal);
  const std::string erase = "\r\033[K";
  EXPECT_EQ(text.find(erase + "step 1/3 | loss 2.4 | "), 0u) << text;
  EXPECT_NE(text.find(erase + "saved\r\n"), std::string::npos) << text;  // the terminal adds \r
  EXPECT_NE(text.find(erase + "step 3/3 | loss 2.2 | took 2.0s\r\n"), std::string::npos) << text;
  for (std::size_t at = 0, next; (at = text.find(erase, at)) != std::string::npos; at = next) {
    at += erase.size();
    next = text.find('\r', at);
    EXPECT_LT(display_width(text.substr(at, next - at)), 33) << "the last column stays free";
  }
}

TEST(Progress, TheEtaFollowsTheRecentRate) {
  Bench bench;
  Progress progress(1000, bench.options());
  EXPECT_TRUE(std::isnan(progress.eta()));
  for (int step = 1; step <= 100; ++step) bench.now += 10, progress.update(step, {});
  EXPECT_NEAR(progress.eta(), 9000, 1e-6);
  for (int step = 101; step <= 500; ++step) bench.now += 0.5, progress.update(step, {});
  EXPECT_NEAR(progress.eta(), 250, 1e-6);  // the slow start is forgotten
  EXPECT_NEAR(progress.elapsed(), 1200, 1e-6);
}

TEST(Progress, AResumedRunDoesNotCountOldSteps) {
  Bench bench;
  ProgressOptions options = bench.options();
  options.start = 500;
  Progress progress(600, options);
  bench.now += 10;
  progress.update(510, {});
  EXPECT_NEAR(progress.eta(), 90, 1e-9);
}

TEST(Progress, VeryFastStepsStillGiveARate) {
  Bench bench;
  Progress progress(100000, bench.options());
  for (int step = 1; step <= 50000; ++step) bench.now += 1e-4, progress.update(step, {});
  EXPECT_NEAR(progress.eta(), 5, 1e-6);
}

}  // namespace
}  // namespace moe
