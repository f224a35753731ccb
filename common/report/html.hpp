// A report: one HTML file that needs nothing else, light and dark, to read and to print.
//
//   HtmlReport page("Dense or MoE?", "The same batches, the same FLOPs per token");
//   page.section("Loss");
//   page.figures({{loss_against_steps, "Held-out loss after equal steps."}, {…, "… seconds."}});
//   write_file("runs/demo/report.html", page.str());
//
// Texts are escaped here; they may be any bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/report/heat_map.hpp"
#include "common/report/plot.hpp"
#include "common/report/routed_text.hpp"
#include "common/report/table.hpp"

namespace moe {

struct Figure {
  Plot plot;
  std::string caption;
  std::string csv_link{};  // a file beside the report that holds the numbers; "": none
};

struct Tile {  // a number that everybody should see
  std::string value, label;
  std::string detail{};
};

using KeyValues = std::vector<std::pair<std::string, std::string>>;

class HtmlReport {
 public:
  explicit HtmlReport(std::string title, std::string subtitle = "");

  void section(const std::string& title);  // also in the table of contents
  void subsection(const std::string& title);
  void paragraph(const std::string& text);
  void note(const std::string& text);  // set apart: a limitation, a warning
  void tiles(const std::vector<Tile>& tiles);
  void table(const Table& table, const std::string& caption = "");
  void key_values(const KeyValues& pairs);
  void figures(const std::vector<Figure>& figures);  // two side by side where the window is wide enough
  void heat_maps(const std::vector<HeatMap>& maps, const std::string& caption);
  void text(const std::string& bytes, const std::string& caption = "");  // generated text, line breaks kept
  void code(const std::string& bytes);                                   // a command or a configuration

  // Texts coloured by expert, with buttons for the layers, a legend of `experts` colours and the choices on hover.
  void routed_texts(const std::vector<RoutedText>& texts, int experts, const std::string& caption);

  std::string str() const;

 private:
  void figure(const Figure& figure);

  std::string title_, subtitle_, body_;
  std::vector<std::string> sections_;
  int figures_ = 0, expert_colours_ = 0;
};

}  // namespace moe
