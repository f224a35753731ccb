// Arrays of an answer that is a CUDA kernel: memory of the checked device, closed to the host outside of launches.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/grade/worker/frame.hpp"
#include "kernels/base/context.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/simt/device_memory.hpp"
#include "kernels/simt/traffic.hpp"

namespace moe::worker {
namespace {

std::unique_ptr<Context> context;
simt::Traffic traffic;  // of all calls: a check is a worker of its own

constexpr std::size_t kMostLines = 3;
constexpr double kGoodEnough = 0.8;  // of what is served, needed

std::string traffic_note(simt::Space space, simt::TrafficKind kind, const simt::TrafficCounts& counts,
                         const std::string& text) {
  return concat("traffic\t", name_of(space), " ", name_of(kind), " ", counts.passes, " ", counts.least, " ",
                text, "\n");
}

// What checks judge: sums over all lines, however many lines there are.
std::string sums_for_checks(const std::vector<simt::TrafficRow>& rows) {
  std::map<std::pair<simt::Space, simt::TrafficKind>, simt::TrafficCounts> sums;
  for (const simt::TrafficRow& row : rows) sums[{row.space, row.kind}].add(row.counts);
  std::string text;
  for (const auto& [key, counts] : sums) text += traffic_note(key.first, key.second, counts, "");
  return text;
}

// What a check that fails shows of it. rows: the worst first.
std::string lines_for_checks(const std::vector<simt::TrafficRow>& rows) {
  std::string text;
  for (const simt::TrafficRow& row : rows)
    text += traffic_note(row.space, row.kind, row.counts, describe(row));
  return text;
}

}  // namespace

void begin_call(std::uint32_t order) {
  context = std::make_unique<Context>(Device{.kind = DeviceKind::checked});
  context->allocator = make_emulated_allocator(HostAccess::forbidden);
  context->emulated_order = order;
  context->traffic = &traffic;
}

// Sums for checks; "global memory<tab>4.0 sectors a request, 3.8 would do"; the lines that waste most; lines for checks.
// What is most important comes first: a reply cuts what is too long.
std::string end_call() {
  constexpr const char* kUnit[] = {"sectors", "wavefronts"};
  std::vector<simt::TrafficRow> rows = traffic.rows();
  std::string notes = sums_for_checks(rows);
  for (const simt::Space space : {simt::Space::global, simt::Space::shared}) {
    simt::TrafficCounts sum;
    for (const simt::TrafficRow& row : rows)
      if (row.space == space) sum.add(row.counts);
    if (sum.requests == 0) continue;
    char text[100];
    std::snprintf(text, sizeof text, "%.1f %s a request, %.1f would do", sum.passes_per_request(),
                  kUnit[static_cast<int>(space)], sum.least_per_request());
    notes += std::string(name_of(space)) + " memory\t" + text + "\n";
  }
  const auto wasted = [](const simt::TrafficRow& row) { return row.counts.passes - row.counts.least; };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& a, const auto& b) { return wasted(a) > wasted(b); });
  for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), kMostLines); ++i) {
    if (rows[i].counts.efficiency() > kGoodEnough) break;
    const std::string line = describe(rows[i]);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) notes += line.substr(0, colon) + ":\t" + line.substr(colon + 2) + "\n";
  }
  return notes + lines_for_checks(rows);
}

Context& device_context() {
  return *context;
}

Array make_array(const std::byte* whole, std::size_t bytes, grade::Role role) {
  Array array{nullptr, bytes};
  array.block = static_cast<std::byte*>(context->allocator->allocate(array.whole()));
  copy_to_device(*context, array.block, whole, array.whole());
  simt::memory_allocated(array.data(), bytes);  // the guards are out of bounds
  if (role != grade::Role::output) simt::memory_written(array.data(), bytes);
  return array;
}

void read_array(std::byte* whole, const Array& array) {
  copy_to_host(*context, whole, array.block, array.whole());
}

void release_array(const Array& array) {
  simt::memory_released(array.data());
  context->allocator->release(array.block, array.whole());
}

}  // namespace moe::worker
