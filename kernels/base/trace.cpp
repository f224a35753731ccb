#include "kernels/base/trace.hpp"

#include <algorithm>

namespace moe {

void Profiler::reset() {
  rows_.clear();
  events_.clear();
}

std::vector<Profiler::Row> Profiler::rows() const {
  std::vector<Row> sorted = rows_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return sorted;
}

// A few dozen names: a linear search is faster than a hash of the string.
Profiler::Row& Profiler::row(const char* name) {
  for (Row& r : rows_)
    if (r.name == name) return r;
  rows_.push_back(Row{.name = name});
  return rows_.back();
}

void Profiler::enter(const char* name) {
  open_.push_back({name, now(), 0});
}

void Profiler::leave() {
  const Open scope = open_.back();
  open_.pop_back();
  const double duration = now() - scope.start;
  Row& r = row(scope.name);
  r.calls += 1;
  r.seconds += duration - scope.nested;
  if (!open_.empty()) open_.back().nested += duration;
  if (keep_events_) events_.push_back({scope.name, scope.start, duration});
}

void account(Context& ctx, double bytes, double flops) {
  if (!ctx.profiler || ctx.profiler->open_.empty()) return;
  Profiler::Row& r = ctx.profiler->row(ctx.profiler->open_.back().name);
  r.bytes += bytes;
  r.flops += flops;
}

}  // namespace moe
