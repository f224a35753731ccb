#include "common/app/progress.hpp"

#include <unistd.h>

#include <chrono>
#include <limits>
#include <utility>

#include "common/app/format.hpp"
#include "common/app/terminal.hpp"
#include "common/app/utf8.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr double kLiveInterval = 0.1;
constexpr double kRateWindow =
    30;  // seconds: long enough to smooth evaluations, short enough to follow a busy machine
constexpr const char* kEraseLine = "\r\033[K";

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += " | ";
    out += part;
  }
  return out;
}

}  // namespace

Progress::Progress(std::int64_t total, ProgressOptions options)
    : total_(total),
      options_(std::move(options)),
      clock_(options_.clock ? options_.clock : steady_seconds),
      begin_(clock_()),
      live_(is_terminal(options_.fd)),
      done_(options_.start),
      last_drawn_(-std::numeric_limits<double>::infinity()) {
  sample(options_.start);
}

Progress::~Progress() {
  finish();
}

bool Progress::due(std::int64_t done) const {
  if (options_.quiet || finished_) return false;
  return done >= total_ || clock_() - last_drawn_ >= (live_ ? kLiveInterval : options_.plain_interval);
}

void Progress::sample(std::int64_t done) {
  const double now = clock_();
  const std::size_t n = samples_.size();
  if (n >= 2 && samples_[n - 1].time - samples_[n - 2].time < kLiveInterval) samples_.pop_back();
  samples_.push_back({now, done});
  while (samples_.size() > 2 && now - samples_.front().time > kRateWindow) samples_.pop_front();
}

double Progress::eta() const {
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  if (last.done <= first.done) return std::numeric_limits<double>::quiet_NaN();
  const double rate = (last.time - first.time) / static_cast<double>(last.done - first.done);
  return rate * static_cast<double>(total_ - done_);
}

void Progress::update(std::int64_t done, std::vector<std::string> fields) {
  if (options_.quiet || finished_) return;
  const bool show = due(done);
  done_ = done;
  sample(done);
  fields_ = std::move(fields);
  if (show) draw();
}

std::string Progress::line(int columns) const {
  std::vector<std::string> parts{concat(options_.unit, " ", done_, "/", total_)};
  parts.insert(parts.end(), fields_.begin(), fields_.end());
  parts.push_back(done_ >= total_ ? "took " + format_duration(elapsed()) : "eta " + format_duration(eta()));
  while (parts.size() > 4 && display_width(join(parts)) > columns) parts.erase(parts.end() - 3);
  return truncate_to_width(join(parts), columns);
}

void Progress::draw() {
  last_drawn_ = clock_();
  last_drawn_done_ = done_;
  if (live_) {  // the last column stays free: some terminals wrap when it is written
    write(kEraseLine + line(terminal_width(options_.fd) - 1));
    line_open_ = true;
  } else {
    write(pad_left(format_duration(elapsed()), 7) + "  " + line(std::numeric_limits<int>::max()) + "\n");
  }
}

void Progress::note(const std::string& message) {
  if (options_.quiet) return;
  write((line_open_ ? kEraseLine : "") + message + "\n");
  if (line_open_) write(line(terminal_width(options_.fd) - 1));
}

void Progress::finish() {
  if (finished_) return;
  if (!options_.quiet && done_ > options_.start && last_drawn_done_ != done_) draw();
  if (line_open_) write("\n");
  line_open_ = false;
  finished_ = true;
}

void Progress::write(
    const std::string& text) const {  // one call a line: lines of several programs do not mix
  [[maybe_unused]] const ssize_t ignored = ::write(options_.fd, text.data(), text.size());
}

}  // namespace moe
