// Kills a program that writes checkpoints, at many moments, and looks at what is left.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "common/io/checkpoint_directory.hpp"
#include "common/io/safetensors.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;
using Clock = std::chrono::steady_clock;

// One checkpoint whose every part says `value`: a field, a text and a tensor file of 64 KiB.
void write_checkpoint(const std::filesystem::path& run, std::int64_t step, std::int64_t value) {
  Context ctx;
  CheckpointWriter writer(run, step);
  const std::vector<std::int32_t> numbers(16384, static_cast<std::int32_t>(value));
  const std::vector<NamedTensor> tensors = {{"x", tensor_of(ctx, numbers, {16384})}};
  writer.written("x.safetensors", write_tensors(writer.file("x.safetensors"), tensors));
  put(writer.file("value.txt"), std::to_string(value));
  writer.fields["value"] = std::to_string(value);
  writer.commit();
}

// The value of the newest checkpoint, all of whose parts must agree.
std::int64_t read_checkpoint(const std::filesystem::path& run, std::int64_t& step) {
  Context ctx;
  const Checkpoint checkpoint = open_checkpoint(run);
  const std::string value = contents(checkpoint.file("value.txt"));
  EXPECT_EQ(checkpoint.manifest.fields.at("value"), value);
  const Tensor x = Tensor::empty(ctx, DType::i32, {16384});
  read_tensors(checkpoint.file("x.safetensors"), std::vector<NamedTensor>{{"x", x}});
  EXPECT_TRUE(close(values_of<std::int32_t>(x), std::vector<std::int32_t>(16384, std::stoi(value))));
  step = checkpoint.manifest.step;
  EXPECT_TRUE(checkpoint.directory.string().ends_with(std::to_string(step)));
  return std::stoll(value);
}

struct Child {
  pid_t pid;
  int progress;  // read end: one int64 per commit
};

// Commits first, first + 1, ... until it is killed.
Child start_writer(std::int64_t first, const std::function<void(std::int64_t)>& write_one) {
  int ends[2];
  MOE_CHECK(::pipe(ends) == 0, "pipe");
  const pid_t pid = ::fork();
  MOE_CHECK(pid >= 0, "fork");
  if (pid != 0) {
    ::close(ends[1]);
    return {pid, ends[0]};
  }
  try {
    for (std::int64_t value = first;; ++value) {
      write_one(value);
      if (::write(ends[1], &value, sizeof value) != sizeof value) ::_exit(1);
    }
  } catch (...) {
    ::_exit(2);
  }
}

// Lets the child commit `commits` times, waits for the fraction `delay` of one commit more, kills it. Returns
// the last value it reported.
std::int64_t kill_after(const Child& child, int commits, double delay) {
  std::int64_t reported = -1;
  const auto start = Clock::now();
  for (int i = 0; i < commits; ++i)
    EXPECT_EQ(::read(child.progress, &reported, sizeof reported), 8) << "the writer died";
  std::this_thread::sleep_for((Clock::now() - start) / std::max(commits, 1) * delay);
  ::kill(child.pid, SIGKILL);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer failed by itself: exit code " << WEXITSTATUS(status);
  for (std::int64_t value; ::read(child.progress, &value, sizeof value) == sizeof value;) reported = value;
  ::close(child.progress);
  return reported;
}

// 30 kills. `step_of(value)`: the step under which a value is written.
void kill_often(const std::function<std::int64_t(std::int64_t)>& step_of) {
  TemporaryDirectory run;
  write_checkpoint(run.path(), step_of(0), 0);
  std::int64_t last = 0;
  for (int round = 0; round < 30; ++round) {
    const auto random = philox({.seed = 11}, static_cast<std::uint64_t>(round));
    const Child child = start_writer(
        last + 1, [&](std::int64_t value) { write_checkpoint(run.path(), step_of(value), value); });
    const int commits = 1 + static_cast<int>(random[0] % 3);
    const std::int64_t reported = kill_after(child, commits, 1.2 * to_uniform(random[1]));
    std::int64_t step = -1;
    const std::int64_t found = read_checkpoint(run.path(), step);
    EXPECT_EQ(step, step_of(found));
    // Nor may a removal that was cut short leave half a checkpoint under a finished name.
    for (const auto& path : list_checkpoints(run.path()))
      EXPECT_EQ(complaint([&] { open_checkpoint(path); }), "");
    EXPECT_GE(found, reported) << "a committed checkpoint is lost, round " << round;
    EXPECT_LE(found, reported + 1) << "a checkpoint that was never committed, round " << round;
    last = found;
  }
}

TEST(CheckpointKill, NewestCommittedCheckpointIsAlwaysThere) {
  kill_often([](std::int64_t value) { return value; });
}

TEST(CheckpointKill, ReplacingOneStepNeverLosesIt) {
  kill_often([](std::int64_t) { return 7; });
}

}  // namespace
}  // namespace moe
