// What a stage shows: one table, one picture, a few sentences.
#pragma once

#include <string>
#include <vector>

#include "common/report/plot.hpp"
#include "common/report/table.hpp"
#include "sessions/01_overview/experiment/options.hpp"

namespace moe::session1 {

struct Exhibit {
  std::string name;  // of the files: "load_balance"
  Table table;
  std::vector<std::string> sentences;  // below the table; what the numbers of this run say
  std::vector<Plot> panels;            // of the picture
  std::size_t columns = 1;             // of panels side by side
};

// Table and sentences, as they are printed and recorded.
std::string result_text(const Exhibit& exhibit);

// Prints the result (--json: the table as JSON and nothing else), then writes under OUT and names:
//   NAME.svg, if there is a gnuplot   NAME.csv, the table   NAME.txt, what was printed
//   NAME_1.csv …, the numbers of each panel
// Returns 0. Throws UserError(bad_file).
int show(const Exhibit& exhibit, const StageOptions& o);

// One picture as a file; a note on stderr instead where there is no gnuplot. Returns whether it was written.
bool write_picture(const std::string& path, const std::vector<Plot>& panels, std::size_t columns, bool quiet);

}  // namespace moe::session1
