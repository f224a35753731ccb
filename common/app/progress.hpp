// The line that says how far a long job is, on stderr.
//
//   step 120/600 | loss 2.413 | lr 3.0e-04 | 21.4k tok/s | eta 1m12s
//
// On a terminal it is redrawn in place at most ten times a second and cut to the width; elsewhere plain
// lines, preceded by the elapsed time, come every few seconds; the last line always comes. Quiet: nothing at
// all.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace moe {

struct ProgressOptions {
  bool quiet = false;
  std::string unit = "step";
  std::int64_t start = 0;           // steps done before, when resumed
  double plain_interval = 5;        // seconds between plain lines
  int fd = 2;                       // where to write; a terminal makes it live
  std::function<double()> clock{};  // seconds; empty: the steady clock
};

class Progress {
 public:
  explicit Progress(std::int64_t total, ProgressOptions options = {});
  ~Progress();  // finish()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Would update(done, ...) show anything? Saves the cost of formatting the fields.
  bool due(std::int64_t done) const;

  // `done` of `total` steps are done. The fields stand between "step i/n" and the eta, " | " between them; on
  // a narrow terminal those in the middle give way first.
  void update(std::int64_t done, std::vector<std::string> fields);

  // A line of its own, above the live one ("checkpoint saved"). Silent when quiet.
  void note(const std::string& message);

  // Ends the live line; the last plain line comes if it was held back. Nothing is shown after.
  void finish();

  double elapsed() const { return clock_() - begin_; }
  double eta() const;  // seconds, from the rate of the last half minute; NaN before two updates

 private:
  struct Sample {
    double time;
    std::int64_t done;
  };
  void sample(std::int64_t done);
  std::string line(int columns) const;
  void draw();
  void write(const std::string& text) const;

  std::int64_t total_;
  ProgressOptions options_;
  std::function<double()> clock_;
  double begin_;
  bool live_;
  std::int64_t done_;
  double last_drawn_;
  std::int64_t last_drawn_done_ = -1;
  std::vector<std::string> fields_;  // of the latest update
  std::deque<Sample> samples_;
  bool line_open_ = false, finished_ = false;
};

}  // namespace moe
