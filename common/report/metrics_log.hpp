// metrics.jsonl: one JSON object a line, written as training goes, read by reports and by people with jq.
//
//   {"step":120,"loss":2.413,"load":[31,40,...]}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace moe {

// NaN and infinities are written as null, which reads as NaN.
using MetricValue = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;

// Pairs in the order they are written.
class MetricRecord {
 public:
  MetricRecord() = default;
  MetricRecord(std::initializer_list<std::pair<std::string, MetricValue>> fields) : fields_(fields) {}

  MetricRecord& set(const std::string& key, MetricValue value);  // replaces, or appends
  const MetricValue* find(std::string_view key) const;
  // A number; an integer or bool too. NaN when absent or no number.
  double number(std::string_view key) const;
  const std::vector<std::pair<std::string, MetricValue>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, MetricValue>> fields_;
};

std::string to_json(const MetricRecord& record);  // one line without its end

class MetricsLog {
 public:
  // Starts a new file, or with `resume_step` goes on with the one that is there: lines of later steps and a last line
  // that a crash left half-written are cut off. Throws UserError(bad_file).
  explicit MetricsLog(std::string path, std::optional<std::int64_t> resume_step = std::nullopt);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // One line in one write, so a reader never sees part of it. Throws UserError(bad_file) on a full disk.
  void write(const MetricRecord& record);

 private:
  std::string path_;
  int fd_;
};

// All records; a half-written last line is left out. Throws UserError(bad_file) with the number of a broken line.
std::vector<MetricRecord> read_metrics(const std::string& path);

// The values of one key where both keys are numbers, as (x, y): ready to plot.
std::pair<std::vector<double>, std::vector<double>> curve_of(const std::vector<MetricRecord>& records,
                                                             std::string_view x, std::string_view y);

}  // namespace moe
