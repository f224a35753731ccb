#include "common/report/metrics_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void bad_file(const std::string& what, const std::string& remedy) {
  throw UserError(ExitCode::bad_file, what, remedy);
}

double number_of(const Json& value) {
  return value.is_number() ? value.get<double>() : kNaN;
}

MetricValue value_of(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return number_of(value);
  std::vector<double> numbers;
  for (const Json& element : value) numbers.push_back(number_of(element));
  return numbers;
}

// Calls visit(object, offset of the line, line number) for every line that ends; what follows the last line end is
// what a crash left.
template <class Visit>
void for_each_line(const std::string& path, const std::string& text, Visit visit) {
  int number = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    ++number;
    const std::string line = text.substr(begin, end - begin);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Json object = Json::parse(line, nullptr, false);
    if (!object.is_object())
      bad_file(concat(path, ":", number, ": no JSON object"), "Remove the line, or start a new run.");
    visit(object, begin);
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) bad_file("cannot read " + path + ": " + std::strerror(errno), "Is it there?");
  return text.str();
}

// Bytes to keep: up to the first line of a later step.
std::size_t kept_bytes(const std::string& path, std::int64_t step) {
  const std::string text = read_file(path);
  std::size_t keep = text.rfind('\n') + 1;  // npos + 1 == 0
  bool cut = false;
  for_each_line(path, text, [&](const Json& object, std::size_t begin) {
    if (cut || !object.contains("step") || !(number_of(object["step"]) > static_cast<double>(step))) return;
    keep = begin;
    cut = true;
  });
  return keep;
}

}  // namespace

MetricRecord& MetricRecord::set(const std::string& key, MetricValue value) {
  for (auto& field : fields_) {
    if (field.first != key) continue;
    field.second = std::move(value);
    return *this;
  }
  fields_.emplace_back(key, std::move(value));
  return *this;
}

const MetricValue* MetricRecord::find(std::string_view key) const {
  for (const auto& field : fields_)
    if (field.first == key) return &field.second;
  return nullptr;
}

double MetricRecord::number(std::string_view key) const {
  const MetricValue* value = find(key);
  if (!value) return kNaN;
  return std::visit(
      []<class T>(const T& v) {
        if constexpr (std::is_arithmetic_v<T>)
          return static_cast<double>(v);
        else
          return kNaN;
      },
      *value);
}

std::string to_json(const MetricRecord& record) {
  Json object = Json::object();  // its dump writes numbers that are not finite as null
  for (const auto& [key, value] : record.fields()) std::visit([&](const auto& v) { object[key] = v; }, value);
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

MetricsLog::MetricsLog(std::string path, std::optional<std::int64_t> resume_step) : path_(std::move(path)) {
  const std::size_t keep = resume_step ? kept_bytes(path_, *resume_step) : 0;
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(keep)) != 0) {
    if (fd_ >= 0) close(fd_);
    bad_file("cannot write " + path_ + ": " + std::strerror(errno), "Choose another folder with --out.");
  }
}

MetricsLog::~MetricsLog() {
  close(fd_);
}

void MetricsLog::write(const MetricRecord& record) {
  const std::string line = to_json(record) + "\n";
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::write(fd_, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) bad_file("cannot write " + path_ + ": " + std::strerror(errno), "Is the disk full?");
    sent += static_cast<std::size_t>(n);
  }
}

std::vector<MetricRecord> read_metrics(const std::string& path) {
  std::vector<MetricRecord> records;
  for_each_line(path, read_file(path), [&](const Json& object, std::size_t) {
    MetricRecord& record = records.emplace_back();
    for (const auto& [key, value] : object.items()) record.set(key, value_of(value));
  });
  return records;
}

std::pair<std::vector<double>, std::vector<double>> curve_of(const std::vector<MetricRecord>& records,
                                                             std::string_view x, std::string_view y) {
  std::pair<std::vector<double>, std::vector<double>> curve;
  for (const MetricRecord& record : records) {
    const double a = record.number(x), b = record.number(y);
    if (std::isnan(a) || std::isnan(b)) continue;
    curve.first.push_back(a);
    curve.second.push_back(b);
  }
  return curve;
}

}  // namespace moe
