// Stage 1.6, the challenges of Mixture of Experts, each as an experiment with a table and a picture of its own.
//
//   moe stage 1.6                      all four
//   moe stage 1.6 --only redundancy
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/report/write_file.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/experiment/names.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

const StageInfo kInfo = {
    .number = "1.6",
    .summary =
        "Four experiments on what is hard about a Mixture of Experts: instability, collapse, redundancy, "
        "and what a random router can do.",
    .examples =
        "moe stage 1.6                                all of them\n"
        "moe stage 1.6 --quick                        to see what they look like\n"
        "moe stage 1.6 --only instability,collapse    some\n"
        "moe stage 1.6 --only redundancy --steps 2400"};

std::string only_help() {
  std::string help = "which, separated by commas";
  for (const Challenge& c : challenges()) help += concat("; ", c.name, ": ", c.summary);
  return help;
}

}  // namespace

int main(int argc, char** argv) {
  return moe::run_main([&] {
    std::string names = "all";
    const LmOptions o = parse_lm_options(argc, argv, kInfo, small_lm(), 60,
                                         [&](Flags& flags) { flags.add("--only", names, only_help()); });
    const std::vector<const Challenge*> chosen = chosen_challenges(names);
    if (o.json && chosen.size() > 1)
      throw UserError(ExitCode::usage, "--json prints one table", "choose an experiment with --only");
    make_directory(o.out);  // the first result is minutes away: say now if it cannot be kept
    const Corpus corpus = load_corpus(corpus_options(o));
    const InterruptGuard guard;
    for (const Challenge* challenge : chosen) {
      if (!o.json) std::printf("%s: %s\n", challenge->name, challenge->summary);
      std::fflush(stdout);
      const std::optional<Exhibit> exhibit = challenge->run(o, corpus);
      if (!exhibit) return kExitInterrupted;
      show(*exhibit, o);
    }
    return 0;
  });
}
