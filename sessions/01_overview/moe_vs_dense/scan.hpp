// `moe demo 1 --full`: experts 1, 2, 4, 8, 16 at equal active FLOPs a token, three seeds each.
#pragma once

#include "sessions/01_overview/moe_vs_dense/options.hpp"

namespace moe::session1 {

// Every finished run is kept under OUT and not repeated, so an interrupted scan goes on where it was. Writes OUT/scan.svg,
// scan.md, scan.csv. Returns an exit code.
int run_scan(const Options& options, const Corpus& corpus);

}  // namespace moe::session1
