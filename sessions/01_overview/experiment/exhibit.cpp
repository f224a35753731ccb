#include "sessions/01_overview/experiment/exhibit.hpp"

#include <cstdio>
#include <filesystem>

#include "common/report/gnuplot.hpp"
#include "common/report/write_file.hpp"

namespace moe::session1 {

std::string result_text(const Exhibit& exhibit) {
  std::string text = exhibit.table.terminal();
  for (const std::string& sentence : exhibit.sentences) text += sentence + "\n";
  return text;
}

bool write_picture(const std::string& path, const std::vector<Plot>& panels, std::size_t columns,
                   bool quiet) {
  const auto svg = render_svg_file(panels, columns);
  if (svg) write_file(path, *svg);
  if (!svg && !quiet) std::fprintf(stderr, "no picture: gnuplot is missing (apt-get install gnuplot-nox)\n");
  return svg.has_value();
}

int show(const Exhibit& e, const StageOptions& o) {
  std::printf("%s", (o.json ? e.table.json() : result_text(e)).c_str());
  std::fflush(stdout);  // what is computed is shown, whatever becomes of the files
  make_directory(o.out);
  const std::string stem = (std::filesystem::path(o.out) / e.name).string();
  write_file(stem + ".csv", e.table.csv());
  write_file(stem + ".txt", result_text(e));
  for (std::size_t i = 0; i < e.panels.size(); ++i)
    write_file(concat(stem, "_", i + 1, ".csv"), csv(e.panels[i]));
  if (write_picture(stem + ".svg", e.panels, e.columns, o.quiet) && !o.json)
    std::printf("picture: %s.svg\n", stem.c_str());
  return 0;
}

}  // namespace moe::session1
