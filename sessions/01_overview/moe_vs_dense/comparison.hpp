// The numbers of the comparison, and the three places they are shown: terminal, JSON, report.html.
#pragma once

#include "common/report/heat_map.hpp"
#include "common/report/table.hpp"
#include "sessions/01_overview/moe_vs_dense/model_run.hpp"

namespace moe::session1 {

struct Comparison {
  Options options;
  std::vector<std::string> domains;
  ModelRun dense, moe;

  std::string tokenizer = "byte";                                               // its name
  double bytes_per_token = 1;                                                   // of held-out text
  const char* token() const { return tokenizer == "byte" ? "byte" : "token"; }  // what one is called

  double fair_seconds = 0;                          // training time of the faster model
  double dense_at_seconds = 0, moe_at_seconds = 0;  // held-out bits per byte after that time
};
Comparison compare(const Options& options, const Corpus& corpus, ModelRun dense, ModelRun moe);

Table comparison_table(const Comparison& c);
// "the MoE is ahead by 0.119 bits per byte", or that there is no winner.
std::string winner(double dense, double moe);
std::vector<std::string> verdict(const Comparison& c);  // sentences
std::string caveat();

HeatMap expert_domain_counts(const Comparison& c,
                             std::size_t layer);  // assignments of held-out text, (domain, expert)
HeatMap what_experts_read(const Comparison& c,
                          std::size_t layer);  // P(domain | expert), experts by their first domain
std::vector<std::int64_t> expert_load(const Comparison& c, std::size_t layer);  // on held-out text

std::string result_text(const Comparison& c);  // table and verdict
void print_comparison(const Comparison& c);
std::string comparison_json(const Comparison& c);
void write_report(const Comparison& c,
                  const Corpus& corpus);  // OUT/report.html and the numbers beside it as CSV

}  // namespace moe::session1
