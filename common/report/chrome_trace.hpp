// The profile as a timeline: open the file in chrome://tracing or ui.perfetto.dev.
#pragma once

#include <span>
#include <string>

#include "kernels/base/trace.hpp"

namespace moe {

// JSON in Chrome's trace event format: one complete event a scope, microseconds.
std::string chrome_trace(std::span<const Profiler::Event> events, const std::string& process_name = "moe");

}  // namespace moe
