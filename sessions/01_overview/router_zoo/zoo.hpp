// Every router on one task: the same small model, the same batches, the same seeds; only the router differs.
#pragma once

#include <optional>

#include "common/moe/routers/router.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/experiment/lm_run.hpp"
#include "sessions/01_overview/router_zoo/future.hpp"

namespace moe::session1 {

// One router with one seed.
struct ZooRun {
  double bits = 0;  // held-out bits per byte
  double cv2 = 0, max_violation = 0, dropped = 0,
         entropy = 0;  // of training batches, over the last fifth of the steps; entropy NaN: no distribution
  double experts_per_token = 0;   // that really ran, on held-out text: what a token costs
  double held_out_violation = 0;  // MaxVio of batches of held-out text, where noise and balancing rest
  double tokens_per_second = 0;
  Leak leak;
  std::vector<double>
      load;  // (E) of the last layer on held-out text, as multiples of the mean, largest first
};

struct ZooEntry {
  const RouterRow* row;
  std::vector<ZooRun> runs;  // one a seed
};

// The rows that `names` (separated by commas; "all") mean, in the table's order. Throws UserError (usage).
std::vector<const RouterRow*> chosen_routers(const std::string& names);

// Empty: interrupted. A soft mixture gets as many slots as cost what top-k costs.
std::optional<ZooRun> run_router(const RouterRow& row, const LmOptions& o, const Corpus& corpus,
                                 std::uint64_t seed);

double mean_of(const ZooEntry& entry, double ZooRun::*number);
std::string quality(const ZooEntry& entry);  // "2.961 ± 0.014", in brackets where the model read the future

// Markdown: which router for which situation, with the numbers of this run. Rows of routers that did not run are left out.
std::string choosing_table(const std::vector<ZooEntry>& entries);

Exhibit zoo_exhibit(const std::vector<ZooEntry>& entries);

}  // namespace moe::session1
