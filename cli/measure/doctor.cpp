// doctor: what works on this machine, and for what does not, a line on how to get it.
#include <cstdio>

#include "cli/measure/doctor.hpp"
#include "cli/measure/measure.hpp"
#include "common/app/flags.hpp"
#include "common/app/main.hpp"
#include "common/report/table.hpp"

namespace moe {
namespace {

const char* mark(const Finding& f) {
  return f.state == State::works ? "yes" : f.state == State::missing ? "no" : "";
}

void print_findings(const std::vector<Finding>& findings) {
  std::printf("MoE Odyssey %s\n\n", version());
  for (const Finding& f : findings)
    std::printf("  %-15s %-4s %s\n", f.what.c_str(), mark(f), f.detail.c_str());
}

void print_what_works(const std::vector<Finding>& findings) {
  std::printf("\nworks here\n  %-41s %s\n", "./moe demo --device cpu", "trains both models on the CPU");
  for (const Finding& f : findings)
    if (f.state == State::works && !f.command.empty())
      std::printf("  %-41s %s\n", f.command.c_str(), f.gives.c_str());
}

void print_remedies(const std::vector<Finding>& findings) {
  bool first = true;
  for (const Finding& f : findings) {
    if (f.remedy.empty()) continue;
    if (first) std::printf("\nto get the rest\n");
    first = false;
    std::printf("  %s: %s\n", f.what.c_str(), f.remedy.c_str());
  }
}

std::string json(const std::vector<Finding>& findings) {
  Table table({{"what"}, {"state"}, {"detail"}, {"command"}, {"remedy"}});
  for (const Finding& f : findings)
    table.row({f.what, f.state == State::fact ? "fact" : mark(f), f.detail, f.command, f.remedy});
  return table.json();
}

}  // namespace

int doctor_main(int argc, char** argv) {
  bool as_json = false;
  Flags flags("moe doctor", "Shows what works on this machine, and how to get the rest.",
              "moe doctor\nmoe doctor --json");
  flags.add("--json", as_json, "one JSON array instead of the text");
  flags.parse(argc, argv);

  const std::vector<Finding> findings = examine();
  if (as_json) {
    std::printf("%s\n", json(findings).c_str());
    return 0;
  }
  print_findings(findings);
  print_what_works(findings);
  print_remedies(findings);
  return 0;
}

}  // namespace moe
