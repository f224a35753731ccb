#include "cli/measure/operations.hpp"

#include <algorithm>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

// "3_mma (sm_80, bf16)"
std::string describe(const VersionRow& row) {
  std::string needs = row.min_sm > 0 ? concat("sm_", row.min_sm) : "";
  if (row.inputs != DType::f32 && row.version != name_of(row.inputs))
    needs += concat(needs.empty() ? "" : ", ", name_of(row.inputs));
  return needs.empty() ? row.version : concat(row.version, " (", needs, ")");
}

}  // namespace

bool takes_bf16(std::string_view operation) {
  const std::vector<VersionRow> rows = all_versions();
  return std::any_of(rows.begin(), rows.end(), [&](const VersionRow& row) {
    return row.operation == operation && row.inputs == DType::bf16;
  });
}

Table table_of_versions() {
  const std::vector<VersionRow> rows = all_versions();
  const bool emulated = std::any_of(rows.begin(), rows.end(),
                                    [](const VersionRow& row) { return row.device == DeviceKind::emulated; });
  const DeviceKind device = emulated ? DeviceKind::emulated : DeviceKind::cuda;
  Table table({{"operation", Align::left}, {"on the CPU", Align::left}, {"on a device (.cu)", Align::left}});
  for (std::size_t i = 0; i < rows.size();) {
    const std::string operation = rows[i].operation;
    std::string host, gpu;
    for (; i < rows.size() && rows[i].operation == operation; ++i) {
      std::string& cell = rows[i].device == DeviceKind::cpu ? host : gpu;
      if (rows[i].device == DeviceKind::cpu || rows[i].device == device)
        cell += concat(cell.empty() ? "" : ", ", describe(rows[i]));
    }
    table.row({operation, host, gpu});
  }
  return table;
}

}  // namespace moe
