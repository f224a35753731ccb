// Kills and Ctrl-C in the middle of real runs: the end is that of a run that nobody disturbed.
#include "tests/sessions/support.hpp"

namespace moe::testing {
namespace {

class Interruption : public Session {
 protected:
  // How far a run got: finished checkpoints leave, so the newest name of both models tells.
  std::string newest_checkpoints(const std::string& out) const {
    std::string names;
    for (const char* model : {"dense", "moe"}) {
      std::string newest;
      std::error_code error;
      for (fs::directory_iterator it(folder / out / model, error), end; !error && it != end;
           it.increment(error))
        if (const std::string name = it->path().filename().string();
            name.starts_with("checkpoint-") && !name.ends_with(".tmp"))
          newest = std::max(newest, name);
      names += newest + "/";
    }
    return names;
  }
  bool has_lines(const std::string& out, const std::string& model, int least) const {
    const std::string log = contents(folder / out / model / "metrics.jsonl");
    return std::count(log.begin(), log.end(), '\n') >= least;
  }
  // The command that a stopped run printed, for another place of the program.
  std::string resume_line(const std::string& err) const {
    const std::string door = "./moe demo 1 ";
    const std::size_t at = err.rfind(door);
    EXPECT_NE(at, std::string::npos) << err;
    if (at == std::string::npos) return "false";
    return kStage + " " + err.substr(at + door.size());
  }
};

TEST_F(Interruption, KilledAtManyMomentsARunEndsWithTheBytesOfAnUndisturbedOne) {
  const Words length = {"--steps", "2700", "--quiet"};
  done(stage("whole", length));
  Words again = length;
  again.push_back("--resume");
  int kills = 0;
  for (int round = 0; round < 40; ++round) {  // 18 checkpoints
    const std::string before = newest_checkpoints("killed");
    Process process(folder, stage("killed", again));
    // The first round before any checkpoint; then some time after one more was written.
    if (round > 0 && !process.wait_for([&] { return newest_checkpoints("killed") != before; })) {
      EXPECT_EQ(process.end().code, 0) << process.end().err;
      break;
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(philox({.seed = 3}, static_cast<std::uint64_t>(round))[0] % 60000));
    process.kill(SIGKILL);
    kills += process.end().code == 128 + SIGKILL;
  }
  EXPECT_GE(kills, 5);
  RecordProperty("kills", kills);
  EXPECT_EQ(result_of("killed"), result_of("whole"));
}

TEST_F(Interruption, ControlCPrintsTheLineThatFinishesTheRun) {
  const std::string out = "it's a $HOME; run";  // the line must survive a shell
  const Words length = {"--steps", "2000"};
  done(stage("whole", length));
  Process first(folder, stage(out, length));
  ASSERT_TRUE(first.wait_for([&] { return has_lines(out, "dense", 5); }));
  first.kill(SIGINT);
  const Ended stopped = first.end();
  ASSERT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_FALSE(fs::exists(folder / out / "moe"));

  Process second(folder, {"sh", "-c", "exec " + resume_line(stopped.err)});
  ASSERT_TRUE(second.wait_for([&] { return has_lines(out, "moe", 5); }));
  second.kill(SIGTERM);
  const Ended again = second.end();
  ASSERT_EQ(again.code, 130) << again.err;
  EXPECT_EQ(resume_line(again.err), resume_line(stopped.err)) << "one --resume is enough";

  done({"sh", "-c", resume_line(again.err)});
  EXPECT_TRUE(fs::exists(folder / out / "report.html"));
  EXPECT_EQ(result_of(out), result_of("whole"));
}

TEST_F(Interruption, ASecondControlCEndsAtOnce) {
  Process process(folder, stage("run", {"--steps", "100000", "--batch", "64"}));
  ASSERT_TRUE(process.wait_for([&] { return has_lines("run", "dense", 1); }));
  process.kill(SIGINT);
  process.kill(SIGTERM);  // another signal: two SIGINT at once may arrive as one
  EXPECT_EQ(process.end().code, 130);
}

}  // namespace
}  // namespace moe::testing
