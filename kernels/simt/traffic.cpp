#include "kernels/simt/traffic.hpp"

#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "kernels/base/check.hpp"
#include "kernels/simt/checked/elf.hpp"
#include "kernels/simt/checked/lines.hpp"

namespace moe::simt {
namespace {

// "row_kernel" of "void moe::kernels_checked::(anonymous namespace)::row_kernel<float>(float*, int)"
std::string short_name(std::string name) {
  const std::string anonymous = "(anonymous namespace)::";
  for (std::size_t at; (at = name.find(anonymous)) != std::string::npos;) name.erase(at, anonymous.size());
  name = name.substr(0, name.find_first_of("<("));
  const std::size_t before = name.find_last_of(": ");
  return before == std::string::npos ? name : name.substr(before + 1);
}

std::string name_of_kernel(const void* function, const std::string& launched_in) {
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(function) - load_bias();
  const Symbol* symbol = holder(program_symbols().functions, address);
  return symbol ? short_name(demangled(symbol->name)) : concat("a kernel of ", launched_in);
}

// "file:line" into its parts; what has no line stays whole.
void set_line(TrafficRow& row, const std::string& place) {
  const std::size_t colon = place.rfind(':');
  const bool has_line =
      colon != std::string::npos && place.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  row.file = has_line ? place.substr(0, colon) : place;
  row.line = has_line ? std::atoi(place.c_str() + colon + 1) : 0;
}

using Order = std::tuple<std::string, std::string, std::string, int, Space, TrafficKind>;

Order order_of(const TrafficRow& r) {
  return {r.launched_in, r.kernel, r.file, r.line, r.space, r.kind};
}

std::vector<TrafficRow> merged(const std::vector<TrafficRow>& rows) {
  std::map<Order, TrafficRow> sums;
  for (const TrafficRow& row : rows) {
    const auto [at, is_new] = sums.try_emplace(order_of(row), row);
    if (!is_new) at->second.counts.add(row.counts);
  }
  std::vector<TrafficRow> result;
  for (auto& [order, row] : sums) result.push_back(std::move(row));
  return result;
}

std::string one_decimal(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

}  // namespace

const char* name_of(Space space) {
  return space == Space::global ? "global" : "shared";
}

const char* name_of(TrafficKind kind) {
  return kind == TrafficKind::load ? "load" : kind == TrafficKind::store ? "store" : "atomic";
}

void TrafficCounts::add(const TrafficCounts& more) {
  requests += more.requests;
  lanes += more.lanes;
  passes += more.passes;
  least += more.least;
}

std::vector<TrafficRow> Traffic::rows() const {
  std::vector<TrafficRow> rows;
  for (const auto& [place, counts] : counts_) {
    TrafficRow row{.kernel = name_of_kernel(place.kernel, place.launched_in),
                   .launched_in = place.launched_in,
                   .space = place.space,
                   .kind = place.kind,
                   .counts = counts};
    set_line(row, line_of(reinterpret_cast<const void*>(place.pc)));
    rows.push_back(std::move(row));
  }
  return merged(rows);
}

std::vector<TrafficRow> Traffic::totals() const {
  std::vector<TrafficRow> all = rows();
  for (TrafficRow& row : all) {
    row.file.clear();
    row.line = 0;
  }
  return merged(all);
}

std::string describe(const TrafficRow& row) {
  const char* preposition = row.kind == TrafficKind::load    ? " from "
                            : row.kind == TrafficKind::store ? " to "
                                                             : " on ";
  const std::string file = row.file.substr(row.file.rfind('/') + 1);
  const std::string where = row.line ? concat(file, ":", row.line) : file.empty() ? row.kernel : file;
  return concat(where, ": ", name_of(row.kind), preposition, name_of(row.space), " memory, ",
                one_decimal(row.counts.passes_per_request()),
                row.space == Space::global ? " sectors" : " wavefronts", " a request, ",
                one_decimal(row.counts.least_per_request()), " would do");
}

}  // namespace moe::simt
