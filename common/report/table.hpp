// A table of text, in every form that somebody reads.
#pragma once

#include <string>
#include <vector>

namespace moe {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  Table& row(std::vector<std::string> cells);  // one per column (MOE_CHECK)
  Table& rule();                               // a line between the rows before and after

  std::string terminal() const;  // ┌─┬─┐ boxes, columns as wide as their widest cell
  std::string markdown() const;
  std::string csv() const;   // RFC 4180, with a header, lines end in \r\n as it asks
  std::string json() const;  // an array of objects; cells that are JSON numbers become numbers
  std::string html() const;  // <table>, no style

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // an empty row is a rule
};

// One cell or field: quoted when it holds a comma, a quote or a line end.
std::string csv_field(const std::string& text);

}  // namespace moe
