// moe watch: checks the answer whenever it is saved. It looks at the file's time and size five times a second: that works on
// network mounts and under WSL, where notifications do not arrive.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "cli/exercises/learn.hpp"
#include "common/app/flags.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/app/terminal.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

constexpr int kPollMilliseconds = 200, kWritingMilliseconds = 30;

// Keys come at once and are not shown; afterwards the terminal is as it was.
class RawKeys {
 public:
  RawKeys() {
    is_terminal_ = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawKeys() { restore(); }
  RawKeys(const RawKeys&) = delete;
  RawKeys& operator=(const RawKeys&) = delete;

  // A key within the time, '\0' for none, 'q' at the end of the input.
  char wait(int milliseconds) const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, milliseconds) <= 0) return '\0';
    char key = 'q';
    return read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
  }

  // May be called in a signal's handler: so what it needs belongs to the class. One alive at a time.
  static void restore() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  static inline termios before_{};
  static inline bool is_terminal_ = false;
};

// While a check runs, Ctrl-C ends `moe` at once, as it does `moe try`: an endless loop is waited for a while.
class EndsAtOnce {
 public:
  EndsAtOnce() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      RawKeys::restore();
      const ssize_t ignored = write(STDOUT_FILENO, "\n", 1);
      static_cast<void>(ignored);
      _exit(kExitInterrupted);
    };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before_);
  }
  ~EndsAtOnce() { sigaction(SIGINT, &before_, nullptr); }
  EndsAtOnce(const EndsAtOnce&) = delete;
  EndsAtOnce& operator=(const EndsAtOnce&) = delete;

 private:
  struct sigaction before_ {};
};

struct Stamp {
  std::int64_t seconds, nanoseconds, size;
  bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> stamp(const fs::path& file) {
  struct stat s;
  if (stat(file.c_str(), &s) != 0)
    return std::nullopt;  // an editor may be about to put a new file in its place
  return Stamp{s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_size};
}

// An editor that writes in place empties the file first: its stamp once two looks agree.
std::optional<Stamp> stamp_at_rest(const fs::path& file) {
  std::optional<Stamp> before, now = stamp(file);
  do {
    before = now;
    poll(nullptr, 0, kWritingMilliseconds);
    now = stamp(file);
  } while (now != before && !interrupted());
  return now;
}

class Watch {
 public:
  Watch(Workspace work, std::vector<Exercise> all) : work_(std::move(work)), all_(std::move(all)) {}

  const Exercise& exercise(std::size_t index) const { return all_[index]; }

  void open(const Exercise& exercise) {
    exercise_ = &exercise;
    work_.provide(exercise);
    seen_ = stamp(work_.answer(exercise));
    std::printf("\n%s%s%s  %s\n  %s\n  task    %s\n  answer  %s\n", bold(mode_).c_str(),
                exercise.name.c_str(), reset(mode_).c_str(), exercise.title.c_str(), exercise.effort.c_str(),
                (exercise.folder / "README.md").c_str(), work_.answer(exercise).c_str());
    keys();
  }

  // False: the end.
  bool handle(char key) {
    if (key == 'q') return false;
    if (key == 'r') run();
    if (key == 'h') std::puts(""), show_hint(work_, *exercise_, 0), keys();
    if (key == 'n') next();
    return true;
  }

  void look() {
    const fs::path answer = work_.answer(*exercise_);
    const auto now = stamp(answer);
    if (!now || now == seen_ || !stamp_at_rest(answer)) return;
    run();
  }

 private:
  void keys() const {
    std::printf("\n[save the file: check]  r: check again  h: hint  n: next exercise  q: quit\n");
    std::fflush(stdout);
  }
  void run() {
    const fs::path answer = work_.answer(*exercise_);
    const bool gone = !stamp(answer);
    work_.provide(*exercise_);
    seen_ = stamp(answer);  // before: what is saved meanwhile is checked, too
    std::printf("\n%s\nchecking %s ...\n",
                std::string(static_cast<std::size_t>(std::min(terminal_width(), 80)), '-').c_str(),
                answer.filename().c_str());
    if (gone) std::puts("It was gone, and is now as it was at first.");
    std::fflush(stdout);
    const grade::Verdict verdict = check();
    if (verdict.passed())
      std::printf("\n%sWell done.%s n goes on.\n", bold(mode_).c_str(), reset(mode_).c_str());
    keys();
  }
  grade::Verdict check() {
    const EndsAtOnce on_interrupt;
    return try_answer(work_, *exercise_, {.seed = grade::fresh_seed(), .stop_when_late = true}, false);
  }
  // The next one that is not passed, going round.
  void next() {
    const std::size_t here = static_cast<std::size_t>(exercise_ - all_.data());
    for (std::size_t i = 1; i <= all_.size(); ++i) {
      const Exercise& e = all_[(here + i) % all_.size()];
      if (!work_.state(e).passed()) return open(e);
    }
    std::printf("\nAll exercises are passed.\nnext: %s grade\n", work_.program().c_str());
    std::fflush(stdout);
  }

  Workspace work_;
  std::vector<Exercise> all_;
  const Exercise* exercise_ = nullptr;
  std::optional<Stamp> seen_;
  ColourMode mode_ = colour_mode();
};

}  // namespace

int watch_main(int argc, char** argv) {
  std::string name;
  Flags flags("moe watch", "Checks your answer whenever you save it. Keys: r check, h hint, n next, q quit.",
              "moe watch\nmoe watch top_k_gate");
  flags.add("exercise", name, "where to begin; without it: the first that is not passed");
  flags.parse(argc, argv);
  const std::vector<Exercise> all = grade::find_exercises();
  Workspace work = Workspace::find();
  const Exercise* first = name.empty() ? work.next(all) : &grade::find_exercise(all, name);
  const std::size_t index = first ? static_cast<std::size_t>(first - all.data()) : 0;
  warn_if_unsealed();
  const InterruptGuard interrupt("");
  const RawKeys keys;
  const std::string program = work.program();
  Watch watch(std::move(work), all);
  watch.open(watch.exercise(index));
  while (!interrupted()) {
    if (!watch.handle(keys.wait(kPollMilliseconds))) break;
    watch.look();
  }
  std::printf("next: %s progress\n", program.c_str());
  return 0;
}

}  // namespace moe
