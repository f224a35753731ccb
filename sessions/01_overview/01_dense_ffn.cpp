// Stage 1.1: where the parameters and the FLOPs of a language model sit. Counts only: published models from their shapes,
// beside the two models of the demo.
//
//   moe stage 1.1
#include <algorithm>

#include "common/app/format.hpp"
#include "common/app/main.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/published/models.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

// Billions as model cards write them.
std::string count(std::int64_t n) {
  std::string text = format_count(static_cast<double>(n));
  std::ranges::replace(text, 'G', 'B');
  return text;
}

std::string percent(double part, double whole) {
  return format_percent(part / whole, 0);
}

Table table_of(const std::vector<PublishedModel>& models) {
  Table table({{"model", Align::left},
               {"total"},
               {"active"},
               {"total/active"},
               {"published"},
               {"FFN"},
               {"attention"},
               {"tables"},
               {"FLOPs/token"},
               {"FFN work"},
               {"attn. work"},
               {"head work"}});
  for (const PublishedModel& m : models) {
    const CostParts& p = m.parts;
    const CostPart all = sum_of(p);
    const auto total = static_cast<double>(all.parameters);
    const auto size = [&](std::int64_t part) { return percent(static_cast<double>(part), total); };
    const auto work = [&](const CostPart& part) {
      return percent(part.flops_per_token, all.flops_per_token);
    };
    table.row({m.name, count(all.parameters), count(all.active_parameters),
               format_fixed(total / static_cast<double>(all.active_parameters), 1), m.published,
               size(p.ffn.parameters), size(p.attention.parameters),
               size(p.embedding.parameters + p.head.parameters), format_count(all.flops_per_token),
               work(p.ffn), work(p.attention), work(p.head)});
  }
  return table;
}

// Shares of a whole, in percent: one group of bars a part.
BarPlot shares(const std::vector<PublishedModel>& models, const char* title, double (*of)(const CostPart&)) {
  BarPlot plot{
      .title = title, .y_label = "percent", .categories = {}, .groups = {}, .width = 1040, .height = 300};
  constexpr CostPart CostParts::*kParts[] = {&CostParts::ffn, &CostParts::attention, &CostParts::embedding,
                                             &CostParts::head};
  for (int i = 0; i < 4; ++i)
    plot.groups.push_back({.label = (CostParts{}.*kParts[i]).name, .values = {}, .colour = i});
  for (const PublishedModel& m : models) {
    plot.categories.push_back(m.name);
    for (int i = 0; i < 4; ++i)
      plot.groups[static_cast<std::size_t>(i)].values.push_back(100 * of(m.parts.*kParts[i]) /
                                                                of(sum_of(m.parts)));
  }
  return plot;
}

std::vector<std::string> sentences(const std::vector<PublishedModel>& models, std::int64_t context) {
  std::vector<std::string> lines = {concat("total, active: parameters, counted. FFN, attention, tables "
                                           "(embedding and head): their share of the total; "
                                           "norms and routers are the rest."),
                                    concat("work: share of the FLOPs of a forward pass, multiply and add "
                                           "counted apart, for the mean token of a context of ",
                                           context, " (the demo: ", demo_model().context, ").")};
  for (const PublishedModel& m : models) {
    if (m.published.empty()) continue;
    std::string line = concat(m.name, ": ", m.source);
    for (const std::string& what : m.unlike)
      line += concat(&what == m.unlike.data() ? "; unlike our model: " : ", ", what);
    lines.push_back(line + ".");
  }
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    std::int64_t context = 2048;
    const StageOptions o = parse_stage_options(
        argc, argv,
        {.number = "1.1",
         .summary = "Where the parameters and FLOPs of published language models sit, and of the demo's.",
         .examples = "moe stage 1.1\nmoe stage 1.1 --context 131072    attention over a long text"},
        [&](Flags& flags) {
          flags.add("--context", context, "tokens of context that attention reads", between(1, 1 << 24));
        });
    const std::vector<PublishedModel> models = published_models(context);
    return show({"dense_ffn",
                 table_of(models),
                 sentences(models, context),
                 {shares(models, "Share of all parameters",
                         [](const CostPart& p) { return static_cast<double>(p.parameters); }),
                  shares(models, "Share of the parameters that work for one token",
                         [](const CostPart& p) { return static_cast<double>(p.active_parameters); }),
                  shares(models, concat("Share of FLOPs a token, context ", context).c_str(),
                         [](const CostPart& p) { return p.flops_per_token; })},
                 1},
                o);
  });
}
