#include "common/grade/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/base/check.hpp"
#include "kernels/base/random.hpp"

namespace moe::grade {
namespace {

constexpr std::size_t kReadable = 48;  // numbers of an input that are shown whole

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

// "  score[3,:] = 1 2 3": at most 76 columns a line.
std::string row_text(const std::string& head, const double* values, std::int64_t n) {
  std::string text = "  " + head + " =";
  std::size_t line = text.size();
  const std::size_t indent = line;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(n, kReadable); ++i) {
    const std::string value = " " + number(values[i]);
    if (line + value.size() > 76) {
      text += "\n" + std::string(indent, ' ');
      line = indent;
    }
    text += value;
    line += value.size();
  }
  if (n > static_cast<std::int64_t>(kReadable)) text += concat(" ... (", n, " in all)");
  return text + "\n";
}

std::vector<double> as_numbers(const Sent& sent) {
  std::vector<double> values(sent.count);
  const auto copy = [&]<class T>(T) {
    for (std::size_t i = 0; i < sent.count; ++i) {
      T value;
      std::memcpy(&value, static_cast<const char*>(sent.from) + i * sizeof(T), sizeof(T));
      values[i] = static_cast<double>(value);
    }
  };
  switch (sent.element) {
    case Element::i32:
      copy(std::int32_t{});
      break;
    case Element::i64:
      copy(std::int64_t{});
      break;
    case Element::f32:
      copy(float{});
      break;
    case Element::f64:
      copy(double{});
      break;
    default:
      values.clear();
  }
  return values;
}

std::string place(const std::string& name, std::int64_t i, std::int64_t n, std::int64_t columns) {
  if (n == 1) return name;
  if (columns <= 1) return concat(name, "[", i, "]");
  return concat(name, "[", i / columns, ",", i % columns, "]");
}

bool same(double got, double expected, Tolerance tolerance) {
  if (got == expected) return true;  // equal infinities
  return std::abs(got - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

// Integers are shown whole; the poison of an output that nobody wrote by its name. A sum with a NaN is that NaN: `+=` into
// an output that was not zeroed leaves it as it was.
template <class T>
std::string shown(T x) {
  if (is_poison(x))
    return std::is_integral_v<T> ? "never written" : "never written, or added to but never set";
  if constexpr (std::is_integral_v<T>)
    return std::to_string(x);
  else
    return std::isnan(x) ? "NaN" : number(x);
}

template <class T>
std::string got_and_expected(const std::string& where, T got, T expected, Tolerance tolerance) {
  const std::size_t width = std::max<std::size_t>(where.size() + 3, 8);
  std::string text = concat("  ", where, " is", std::string(width - where.size() - 3, ' '), " ", shown(got),
                            "\n  expected", std::string(width - 8, ' '), " ", shown(expected));
  const double e = static_cast<double>(expected), difference = static_cast<double>(got) - e;
  if (shown(got) == shown(expected)) text += concat("  (the difference is ", number(difference), ")");
  if (tolerance.absolute > 0 || tolerance.relative > 0)
    text += concat("  (within ", number(tolerance.absolute + tolerance.relative * std::abs(e)), ")");
  return text + "\n";
}

std::vector<GradedCheck>& all_checks() {
  static std::vector<GradedCheck> checks;
  return checks;
}

}  // namespace

void Check::begin(std::string name) {
  case_ = std::move(name);
  inputs_.clear();
}

void Check::keep(const Sent& sent) {
  if (sent.role == Role::input || sent.role == Role::inout)
    inputs_.push_back({sent.name, as_numbers(sent), sent.columns});
}

std::string Check::context(std::int64_t row, std::int64_t rows) const {
  std::string text = case_.empty() ? "" : "  case: " + case_ + "\n";
  for (const Input& input : inputs_) {
    const std::int64_t n = static_cast<std::int64_t>(input.values.size());
    const std::int64_t its_rows = input.columns > 0 ? n / input.columns : 0;
    const double* values = input.values.data();
    if (n <= static_cast<std::int64_t>(kReadable) && its_rows > 1 && input.columns > 1) {
      for (std::int64_t r = 0; r < its_rows; ++r)
        text += row_text(concat(input.name, "[", r, ",:]"), values + r * input.columns, input.columns);
    } else if (n > static_cast<std::int64_t>(kReadable) && row >= 0 && its_rows == rows && row < its_rows) {
      text += row_text(concat(input.name, "[", row, ",:]"), values + row * input.columns, input.columns);
    } else {
      text += row_text(input.name, values, n);
    }
  }
  return text;
}

template <class T>
void Check::close(const std::string& name, const std::vector<T>& got, const std::vector<T>& expected,
                  std::int64_t columns, Tolerance tolerance) {
  MOE_CHECK(got.size() == expected.size() && columns > 0, name, ": ", got.size(), " against ",
            expected.size());
  if (!got.empty() && std::all_of(got.begin(), got.end(), is_poison<T>) && got != expected)
    throw Failed(concat("has not written ", name,
                        std::is_integral_v<T> ? "" : ", or has added to it without setting it first", "\n",
                        context()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = static_cast<double>(got[i]), e = static_cast<double>(expected[i]);
    if (same(g, e, tolerance)) continue;
    const std::int64_t at = static_cast<std::int64_t>(i), n = static_cast<std::int64_t>(got.size());
    throw Failed(concat("is wrong\n",
                        got_and_expected(place(name, at, n, columns), got[i], expected[i], tolerance),
                        context(at / columns, n / columns)));
  }
}
template void Check::close(const std::string&, const std::vector<std::int32_t>&,
                           const std::vector<std::int32_t>&, std::int64_t, Tolerance);
template void Check::close(const std::string&, const std::vector<std::int64_t>&,
                           const std::vector<std::int64_t>&, std::int64_t, Tolerance);
template void Check::close(const std::string&, const std::vector<float>&, const std::vector<float>&,
                           std::int64_t, Tolerance);
template void Check::close(const std::string&, const std::vector<double>&, const std::vector<double>&,
                           std::int64_t, Tolerance);

void Check::close(const std::string& name, double got, double expected, Tolerance tolerance) {
  close(name, std::vector<double>{got}, std::vector<double>{expected}, 1, tolerance);
}

void Check::require(bool holds, const std::string& what) {
  if (!holds) throw Failed(concat("is wrong\n  ", what, "\n", context()));
}

void Check::require_traffic(const std::string& space, const std::string& kind, double most) {
  constexpr int kMostLines = 4;
  std::int64_t passes = 0, least = 0;
  int lines = 0;
  std::string worst;
  for (const AskedOfMemory& asked : answer_.traffic) {
    if (asked.space != space || !(kind.empty() || asked.kind == kind)) continue;
    if (asked.text.empty())
      passes += asked.passes, least += asked.least;
    else if (asked.passes > asked.least && lines++ < kMostLines)
      worst += "  " + asked.text + "\n";
  }
  if (static_cast<double>(passes) <= most * static_cast<double>(least)) return;
  inputs_.clear();  // it is not their numbers that matter
  throw Failed(concat("asks too much of ", space, " memory\n", worst));
}

std::int64_t Check::passes(const std::string& space, const std::string& kind) const {
  std::int64_t sum = 0;
  for (const AskedOfMemory& asked : answer_.traffic)
    if (asked.text.empty() && asked.space == space && (kind.empty() || asked.kind == kind))
      sum += asked.passes;
  return sum;
}

void Check::award(double fraction, const std::string& remark) {
  fraction_ = std::clamp(fraction, 0.0, 1.0);  // NaN stays NaN, and is worth nothing
  remark_ = remark;
}

std::vector<float> Check::normal(std::int64_t n, float deviation) {
  std::vector<float> values(static_cast<std::size_t>(n));
  const RngKey key{.seed = seed_, .step = ++draws_};
  for (std::int64_t i = 0; i < n; ++i)
    values[static_cast<std::size_t>(i)] = deviation * static_cast<float>(moe::normal(key, i));
  return values;
}

std::vector<std::int32_t> Check::integers(std::int64_t n, std::int32_t low, std::int32_t high) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(n));
  const RngKey key{.seed = seed_, .step = ++draws_};
  const std::uint32_t range = static_cast<std::uint32_t>(high - low) + 1;
  for (std::int64_t i = 0; i < n; ++i)
    values[static_cast<std::size_t>(i)] = low + static_cast<std::int32_t>(philox(key, i)[0] % range);
  return values;
}

std::int64_t Check::integer(std::int64_t low, std::int64_t high) {
  return integers(1, static_cast<std::int32_t>(low), static_cast<std::int32_t>(high))[0];
}

const std::vector<double>& Check::example_values(const std::string& name) const {
  const auto at = example_.find(name);
  MOE_CHECK(at != example_.end(), "the README has no block ```example with the array ", name);
  return at->second;
}

bool add_check(GradedCheck check) {
  all_checks().push_back(std::move(check));
  return true;
}

const std::vector<GradedCheck>& graded_checks() {
  return all_checks();
}

}  // namespace moe::grade
