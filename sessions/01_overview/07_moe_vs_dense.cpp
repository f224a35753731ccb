// Stage 1.7, session 1's main job: a dense and a Mixture-of-Experts language model with the same active FLOPs a token, trained
// on the same batches of real text, compared after equal steps and after equal seconds.
//
//   moe demo 1            both models, a report
//   moe demo 1 --full     experts 1, 2, 4, 8, 16 with error bars
#include <cstdio>
#include <filesystem>

#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/report/write_file.hpp"
#include "common/train/agreement.hpp"
#include "sessions/01_overview/moe_vs_dense/comparison.hpp"
#include "sessions/01_overview/moe_vs_dense/scan.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

constexpr std::int64_t kComparedSteps = 20;

int stopped(const Options& o) {
  std::fprintf(stderr, "checkpoint saved under %s; this goes on:\n  %s\n", o.out.c_str(),
               o.resume_command.c_str());
  return kExitInterrupted;
}

// On any device but the CPU: does it compute what the CPU does? The line that was printed.
std::string agreement_with_cpu(const Options& o, const Corpus& corpus) {
  if (o.choice.device.kind == DeviceKind::cpu || o.quiet) return "";
  Context cpu(static_cast<int>(o.threads));
  cpu.matrix_inputs = o.dtype == "bf16" ? DType::bf16 : DType::f32;
  const std::unique_ptr<Context> other = make_context(o);
  Trainer a(cpu, o.model, o.train, corpus), b(*other, o.model, o.train, corpus);
  const std::string against = o.device + " against the CPU, on the same batches: ";
  std::fputs(against.c_str(), stderr);  // this takes a while on a slow device
  const std::string agreement = describe(compare_devices(a, b, corpus, kComparedSteps)) + "\n";
  std::fputs(agreement.c_str(), stderr);
  return against + agreement;
}

int run_pair(const Options& o, const Corpus& corpus) {
  if (!o.choice.why.empty() && !o.quiet) std::fprintf(stderr, "device: %s\n", o.choice.why.c_str());
  const std::string agreement = agreement_with_cpu(o, corpus);
  const std::filesystem::path out = o.out;
  auto dense = run_model("dense", dense_twin(o.model), out / "dense", o, corpus);
  if (!dense) return stopped(o);
  auto moe = run_model("MoE", o.model, out / "moe", o, corpus);
  if (!moe) return stopped(o);
  const Comparison c = compare(o, corpus, std::move(*dense), std::move(*moe));
  if (o.json)
    std::printf("%s", comparison_json(c).c_str());
  else
    print_comparison(c);
  std::fflush(stdout);  // what is computed is shown, whatever becomes of the files
  write_report(c, corpus);
  if (!agreement.empty()) write_file((out / "agreement.txt").string(), agreement);
  if (!o.json)
    std::printf(
        "report: %s\nmore text: ./moe generate --ckpt %s --prompt \"In the beginning\" --show-routing\n",
        (out / "report.html").c_str(), (out / "moe").c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return moe::run_main([&] {
    Options options = parse_options(argc, argv);
    const Corpus corpus = read_corpus(options);
    const InterruptGuard guard;
    return options.full ? run_scan(options, corpus) : run_pair(options, corpus);
  });
}
