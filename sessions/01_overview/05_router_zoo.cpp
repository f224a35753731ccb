// Stage 1.5, every router of the library on one task: what it costs to choose another one.
//
//   moe stage 1.5                               all of them
//   moe stage 1.5 --routers top_k,expert_choice --seeds 3
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/report/write_file.hpp"
#include "sessions/01_overview/router_zoo/zoo.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

const StageInfo kInfo = {
    .number = "1.5",
    .summary =
        "Trains the same small language model with every router on the same batches, and compares "
        "quality, balance, speed and whether it reads the future.",
    .examples =
        "moe stage 1.5                                 every router\n"
        "moe stage 1.5 --quick                         under half a minute\n"
        "moe stage 1.5 --routers top_k,expert_choice   some\n"
        "moe stage 1.5 --seeds 3                       with the noise between seeds"};

LmOptions defaults() {
  LmOptions o = small_lm();
  o.train.steps = 1200;
  o.evaluations = 1;
  return o;
}

std::string router_help() {
  std::string help = "which, separated by commas";
  for (const RouterRow& row : router_table()) help += concat("; ", row.name, ": ", row.summary);
  return help;
}

}  // namespace

int main(int argc, char** argv) {
  return moe::run_main([&] {
    std::string names = "all";
    std::int64_t seeds = 1;
    const LmOptions o = parse_lm_options(argc, argv, kInfo, defaults(), 150, [&](Flags& flags) {
      flags.add("--routers", names, router_help());
      flags.add("--seeds", seeds, "runs of each router, with seeds that follow --seed", between(1, 100));
    });
    const std::vector<const RouterRow*> rows = chosen_routers(names);
    const Corpus corpus = load_corpus(corpus_options(o));
    const InterruptGuard guard;
    std::vector<ZooEntry> entries;
    for (const RouterRow* row : rows) {
      ZooEntry entry{.row = row, .runs = {}};
      for (std::int64_t s = 0; s < seeds; ++s) {
        std::optional<ZooRun> run = run_router(*row, o, corpus, o.train.seed + static_cast<std::uint64_t>(s));
        if (!run) return kExitInterrupted;
        entry.runs.push_back(std::move(*run));
      }
      entries.push_back(std::move(entry));
    }
    show(zoo_exhibit(entries), o);
    write_file(o.out + "/choosing.md", choosing_table(entries));
    return 0;
  });
}
