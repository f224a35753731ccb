// What the comparison prints.
#include <unistd.h>

#include <cstdio>

#include "common/app/format.hpp"
#include "common/app/terminal.hpp"
#include "common/app/utf8.hpp"
#include "common/report/bars.hpp"
#include "sessions/01_overview/moe_vs_dense/comparison.hpp"

namespace moe::session1 {
namespace {

void heading(const std::string& text) {
  std::printf("\n%s\n\n", text.c_str());
}

void print_text(const Sample& sample, const std::string& model) {
  std::printf("%s, after \"%s\":\n%s\n\n", model.c_str(), printable_utf8(sample.prompt).c_str(),
              printable_utf8(sample.text).c_str());
}

}  // namespace

std::string result_text(const Comparison& c) {
  std::string text = comparison_table(c).terminal();
  for (const std::string& line : verdict(c)) text += line + "\n";
  return text + caveat() + "\n";
}

void print_comparison(const Comparison& c) {
  std::printf("\n%s", result_text(c).c_str());
  const int width = std::min(terminal_width(STDOUT_FILENO), 100);
  const ColourMode colour = colour_mode(STDOUT_FILENO);
  const std::size_t last = c.moe.result.evaluation.expert_domain.size() - 1;
  heading(concat("Expert load, layer ", last + 1, " (assignments of held-out text; │ marks the mean)"));
  std::printf("%s", load_bars(expert_load(c, last), {.width = width, .colour = colour}).c_str());
  heading("What each expert reads: P(domain | expert), layer " + std::to_string(last + 1));
  std::printf("%s",
              terminal_heat_map(what_experts_read(c, last), {.width = width, .colour = colour}).c_str());
  heading("Text from each model (temperature 0.8)");
  const std::size_t shown = std::min<std::size_t>(1, c.dense.samples.size() - 1);
  print_text(c.dense.samples[shown], c.dense.name);
  print_text(c.moe.samples[shown], c.moe.name);
}

}  // namespace moe::session1
