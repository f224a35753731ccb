#include "common/report/table.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

using Row = std::vector<std::string>;

std::string aligned(const std::string& text, int width, Align align) {
  return align == Align::left ? pad_right(text, width) : pad_left(text, width);
}

std::string box_rule(const std::vector<int>& widths, const char* left, const char* middle,
                     const char* right) {
  std::string out = left;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (c > 0) out += middle;
    for (int i = 0; i < widths[c] + 2; ++i) out += "─";
  }
  return out + right + "\n";
}

std::string box_row(const Row& cells, const std::vector<int>& widths, const std::vector<Column>& columns) {
  std::string out;
  for (std::size_t c = 0; c < cells.size(); ++c)
    out += "│ " + aligned(cells[c], widths[c], columns[c].align) + " ";
  return out + "│\n";
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? "<br>" : std::string(1, c);
  return out;
}

Row titles(const std::vector<Column>& columns) {
  Row out;
  for (const Column& column : columns) out.push_back(column.title);
  return out;
}

std::string csv_line(const Row& cells) {
  std::string out;
  for (std::size_t c = 0; c < cells.size(); ++c) out += (c ? "," : "") + csv_field(cells[c]);
  return out + "\r\n";
}

std::string html_row(const Row& cells, const std::vector<Column>& columns, const char* tag) {
  std::string out = "<tr>";
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const char* style = columns[c].align == Align::right ? " class=\"num\"" : "";
    out += concat("<", tag, style, ">", html_escape(cells[c]), "</", tag, ">");
  }
  return out + "</tr>\n";
}

nlohmann::ordered_json json_cell(const std::string& text) {
  const auto parsed = nlohmann::ordered_json::parse(text, nullptr, false);
  return parsed.is_number() ? parsed : nlohmann::ordered_json(text);
}

}  // namespace

Table& Table::row(std::vector<std::string> cells) {
  MOE_CHECK(cells.size() == columns_.size(), cells.size(), " cells in ", columns_.size(), " columns");
  rows_.push_back(std::move(cells));
  return *this;
}

Table& Table::rule() {
  rows_.emplace_back();
  return *this;
}

std::string Table::terminal() const {
  std::vector<int> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.title));
  for (const Row& row : rows_)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  const std::string inner = box_rule(widths, "├", "┼", "┤");
  std::string out = box_rule(widths, "┌", "┬", "┐") + box_row(titles(columns_), widths, columns_) + inner;
  for (const Row& row : rows_) out += row.empty() ? inner : box_row(row, widths, columns_);
  return out + box_rule(widths, "└", "┴", "┘");
}

std::string Table::markdown() const {
  std::string out = "|", rule = "|";
  for (const Column& column : columns_) {
    out += concat(" ", markdown_cell(column.title), " |");
    rule += column.align == Align::left ? " --- |" : " ---: |";
  }
  out += concat("\n", rule, "\n");
  for (const Row& row : rows_) {
    if (row.empty()) continue;
    out += "|";
    for (const std::string& cell : row) out += concat(" ", markdown_cell(cell), " |");
    out += "\n";
  }
  return out;
}

std::string Table::csv() const {
  std::string out = csv_line(titles(columns_));
  for (const Row& row : rows_)
    if (!row.empty()) out += csv_line(row);
  return out;
}

std::string Table::json() const {
  auto out = nlohmann::ordered_json::array();
  for (const Row& row : rows_) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (std::size_t c = 0; c < row.size(); ++c) object[columns_[c].title] = json_cell(row[c]);
    if (!row.empty()) out.push_back(std::move(object));
  }
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string Table::html() const {
  std::string out = "<table><thead>" + html_row(titles(columns_), columns_, "th") + "</thead><tbody>\n";
  for (const Row& row : rows_) out += row.empty() ? "</tbody><tbody>\n" : html_row(row, columns_, "td");
  return out + "</tbody></table>\n";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace moe
