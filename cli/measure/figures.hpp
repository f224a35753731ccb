// Recorded figures and tables: the runs that make them, and where their results stand in the documents.
//
// A document shows a result between <!-- begin NAME --> and <!-- end NAME -->; nobody edits what is between.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moe {

struct Record {
  std::string_view result;    // file the run leaves in its directory; "stdout": what it printed
  std::string_view document;  // from the repository's root
  std::string_view marker;    // "": the document is the file itself
};

struct Figure {
  std::string_view name;               // also the run's directory, runs/figures/NAME
  std::vector<std::string> arguments;  // of moe; {out} stands for that directory
  std::vector<Record> records;
  std::string_view cost;  // "about 10 minutes on two cores"
};

std::span<const Figure> figures();

// `document` with what is between the marker's lines replaced by `content`: a Markdown table as it is, other text fenced.
// Throws UserError (bad_file) when a marker is missing.
std::string with_record(const std::string& document, const Record& record, const std::string& content);

}  // namespace moe
