#include "common/report/chrome_trace.hpp"

#include <nlohmann/json.hpp>

#include "common/app/format.hpp"

namespace moe {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string chrome_trace(std::span<const Profiler::Event> events, const std::string& process_name) {
  // Written by hand: a run has millions of events, and a tree of them would not fit.
  std::string out =
      R"({"displayTimeUnit":"ms","traceEvents":[{"ph":"M","pid":1,"tid":1,"name":"process_name","args":{"name":)" +
      quoted(process_name) + "}}";
  for (const Profiler::Event& event : events) {
    out += R"(,
{"ph":"X","pid":1,"tid":1,"name":)";
    out += quoted(event.name) + R"(,"ts":)" + format_fixed(event.start * 1e6, 3) + R"(,"dur":)" +
           format_fixed(event.duration * 1e6, 3) + "}";
  }
  return out + "]}\n";
}

}  // namespace moe
