// Stage 1.3: a small MoE language model is trained, then its routers are looked at: which expert reads what, what sparse
// computation saves, and what the gates are before and after they are renormalised.
//
//   moe stage 1.3
#include <algorithm>

#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/nn/cost.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/experiment/lm_run.hpp"
#include "sessions/01_overview/experiment/load.hpp"
#include "sessions/01_overview/routing/gates.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

// The trained model asked to route otherwise: other K, and the trained K with gates as the softmax gives them.
std::vector<MoeConfig> other_routings(const MoeConfig& trained) {
  std::vector<MoeConfig> list = {trained};
  list.push_back(trained);
  list.back().renormalise = false;
  for (const std::int64_t K : {trained.top_k / 2, trained.top_k * 2, trained.experts})
    if (K >= 1 && K <= trained.experts && K != trained.top_k && K != list.back().top_k) {
      list.push_back(trained);
      list.back().top_k = K;
    }
  return list;
}

Table table_of(Context& ctx, LanguageModel& model, const Corpus& corpus, const LmOptions& o,
               const Tensor& p) {
  Table table({{"experts a token, gates", Align::left},
               {"gates sum to (mean)"},
               {"FLOPs in experts, a token"},
               {"of all experts"},
               {"bits/byte"}});
  const HeldOut held_out(corpus, 16, model.config().context, o.held_out_tokens);
  const MoeConfig& trained = model.config().moe;
  for (const MoeConfig& moe : other_routings(trained)) {
    const std::unique_ptr<LanguageModel> other = rerouted(ctx, model, moe);
    const Evaluation e = held_out.evaluate(ctx, *other);
    const bool as_trained = moe.top_k == trained.top_k && moe.renormalise;
    const CostParts cost = parts_of(other->config());
    table.row(
        {concat(moe.top_k, moe.renormalise ? ", renormalised" : ", as softmax gives them",
                as_trained ? " (as trained)" : ""),
         format_fixed(moe.renormalise ? 1 : compare_gate_forms(ctx, p, moe.top_k).mean, 2),
         format_count(cost.ffn.flops_per_token),
         format_percent(
             static_cast<double>(cost.ffn.active_parameters) / static_cast<double>(cost.ffn.parameters), 1),
         format_fixed(e.bits_per_byte, 3)});
  }
  return table;
}

std::vector<std::string> sentences(Context& ctx, LanguageModel& model, const Corpus& corpus,
                                   const LmOptions& o, std::size_t layer, const Tensor& p) {
  const GateForms forms = compare_gate_forms(ctx, p, model.config().moe.top_k);
  const auto gates = [](double x) { return format_fixed(x, 2); };
  std::vector<std::string> lines = {
      concat("In layer ", layer + 1, " a token's ", model.config().moe.top_k, " gates sum to ",
             gates(forms.least), " to ", gates(forms.most), " before they are renormalised."),
      concat("Softmax over the chosen scores only gives the renormalised gates, within ",
             format_scientific(forms.difference), "."),
      "There, for each domain the expert most given to it, and the bytes that tell it from the others:"};
  const Reading reading = read_held_out(ctx, model, corpus, layer, o.held_out_tokens);
  for (const Reader& r : reading.readers)
    lines.push_back(concat("  ", r.domain, ": expert ", r.expert, ", ", format_percent(r.share, 0),
                           " of what it reads; ", r.bytes));
  lines.push_back(concat("A token's expert tells ", format_fixed(reading.about_domain, 2),
                         " nats about its domain and ", format_fixed(reading.about_byte, 2),
                         " about which byte it is."));
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    LmOptions defaults = small_lm();
    defaults.train.steps = 1500;  // by then experts have begun to divide the text
    const LmOptions o = parse_lm_options(
        argc, argv,
        {.number = "1.3",
         .summary = "Trains a small MoE language model and shows who goes where, and what the gates do.",
         .examples = "moe stage 1.3\nmoe stage 1.3 --experts 32 --top-k 4\nmoe stage 1.3 --steps 4000"},
        defaults, 200);
    const Corpus corpus = load_corpus(corpus_options(o));
    const InterruptGuard guard;
    const std::unique_ptr<Context> ctx = make_context(o);
    Trainer trainer(*ctx, o.model, o.train, corpus);
    const std::optional<LmRun> run = train_lm(trainer, corpus, o, std::filesystem::path(o.out) / "model");
    if (!run) return kExitInterrupted;
    LanguageModel& model = trainer.model();
    const auto layer = static_cast<std::size_t>(o.model.layers - 1);
    const Tensor p = held_out_probabilities(*ctx, model, corpus, static_cast<int>(layer));
    std::vector<Plot> panels;
    for (std::size_t l = 0; l <= layer; ++l)
      panels.push_back(experts_plot(run->result.evaluation, l, domain_names(corpus)));
    return show({"top_k_routing", table_of(*ctx, model, corpus, o, p),
                 sentences(*ctx, model, corpus, o, layer, p), panels, 1},
                o);
  });
}
