// Starts programs as a shell would, and looks at what they print, leave and return.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "common/report/metrics_log.hpp"
#include "kernels/base/check.hpp"
#include "kernels/base/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::testing {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

inline const std::string kPrograms = MOE_PROGRAMS, kStage = kPrograms + "/stage_1.7", kProgram = MOE_PROGRAM;

struct Ended {
  int code = 0;  // 128 + signal when killed
  std::string out, err;
};

// A program that runs with its output in files. Killed when the test forgets about it.
class Process {
 public:
  Process(const fs::path& folder, const Words& words, const std::string& input = "")
      : out_(folder / "stdout"), err_(folder / "stderr") {
    put(folder / "stdin", input);
    pid_ = ::fork();
    MOE_CHECK(pid_ >= 0, "fork");
    if (pid_ > 0) return;
    redirect(folder / "stdin", O_RDONLY, 0);
    redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, 2);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ > 0) kill(SIGKILL), end();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill(int signal) const { ::kill(pid_, signal); }
  bool running() {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
    return pid_ > 0;
  }
  Ended end() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = 0;
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_), contents(out_),
            contents(err_)};
  }
  // Until `condition` holds or the process ends; false in that case.
  bool wait_for(const std::function<bool()>& condition) {
    while (running()) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  static void redirect(const fs::path& path, int flags, int to) {
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(126);
  }
  fs::path out_, err_;
  pid_t pid_ = 0;
  int status_ = 0;
};

// A temporary folder with six small texts, one for each default domain, so that no package is needed.
class Session : public ::testing::Test {
 protected:
  Session() {
    const std::vector<Words> words = {
        {"int ", "x", " = ", "y;\n"}, {"a ", "thing ", "of ", "note\n"}, {"and ", "the ", "LORD ", "said\n"}};
    for (std::size_t d = 0; d < kDomains.size(); ++d)
      put(folder / kDomains[d], shuffled(words[d % 3], 1500, d));
  }

  // The stage with a model of a few thousand parameters and our texts; later words win over earlier ones.
  Words stage(const std::string& out, const Words& more = {}, const std::string& program = kStage) const {
    Words words = {program,     "--out",   (folder / out).string(),
                   "--width",   "16",      "--layers",
                   "2",         "--heads", "1",
                   "--experts", "4",       "--expert-width",
                   "8",         "--batch", "1",
                   "--steps",   "40",      "--threads",
                   "1"};
    for (const std::string& domain : kDomains)
      words.insert(words.end(), {"--text", domain + "=" + (folder / domain).string()});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Ended run(const Words& words, const std::string& input = "") const {
    return Process(folder, words, input).end();
  }
  // The same for another stage that trains language models: lm_stage("1.4", "run").
  Words lm_stage(const std::string& number, const std::string& out, const Words& more = {}) const {
    return stage(out, more, kPrograms + "/stage_" + number);
  }
  // Runs and expects success.
  Ended done(const Words& words, const std::string& input = "") const {
    const Ended ended = run(words, input);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended;
  }
  void expect_refused(const Words& words, int code, const std::string& message,
                      const std::string& input = "") const {
    const Ended ended = run(words, input);
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_NE(ended.err.find(message), std::string::npos)
        << "expected \"" << message << "\" in: " << ended.err;
  }

  // Parameters, moments and metrics (without times) of both models: what must not depend on interruptions.
  std::string result_of(const std::string& out) const {
    std::string all;
    for (const char* model : {"dense", "moe"}) {
      fs::path newest;
      for (const auto& entry : fs::directory_iterator(folder / out / model))
        if (const std::string name = entry.path().filename().string();
            name.starts_with("checkpoint-") && !name.ends_with(".tmp"))
          newest = std::max(newest, entry.path());
      all += newest.filename().string() + contents(newest / "model.safetensors") +
             contents(newest / "optimizer.safetensors");
      for (MetricRecord r : metrics_of(out, model))
        all += to_json(r.set("seconds", 0.0).set("tokens_per_second", 0.0)) + "\n";
    }
    return all;
  }
  std::vector<MetricRecord> metrics_of(const std::string& out, const std::string& model) const {
    return read_metrics((folder / out / model / "metrics.jsonl").string());
  }

  static std::string shuffled(const Words& words, std::size_t count, std::uint64_t seed) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += words[philox({.seed = seed}, i)[0] % words.size()];
    return text;
  }

  const Words kDomains = {"cpp", "dictionary", "scripture", "english", "german", "japanese"};
  TemporaryDirectory home;
  fs::path folder = home.path();
};

}  // namespace moe::testing
