#include "common/grade/show.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

constexpr Rgb kGreen{60, 160, 80}, kAmber{190, 140, 40}, kRed{200, 70, 60};
constexpr int kColumns = 80;
constexpr int kMostCompilerLines = 30, kMostPrintedLines = 8;

std::string coloured(const std::string& text, Rgb colour, ColourMode mode) {
  return foreground(colour, mode) + text + reset(mode);
}

// Words in lines of at most kColumns.
std::string wrapped(const std::string& text, const std::string& indent) {
  std::istringstream in(text);
  std::string out = indent;
  int width = static_cast<int>(indent.size());
  for (std::string word; in >> word;) {
    const int wide = display_width(word);
    if (width + wide + 1 > kColumns && width > static_cast<int>(indent.size())) {
      out += "\n" + indent;
      width = static_cast<int>(indent.size());
    }
    if (width > static_cast<int>(indent.size())) out += " ", ++width;
    out += word;
    width += wide;
  }
  return out + "\n";
}

// At most `most` lines of it. Lines that are too long for the terminal go on below, further in, if `wrap`.
std::string first_lines(const std::string& text, int most, const std::string& indent, bool wrap = false) {
  std::istringstream in(printable_utf8(text));
  std::string out;
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    if (count == most) return out + indent + "...\n";
    if (wrap && display_width(line) > kColumns) {
      const std::string further(line.find_first_not_of(' ') + 4, ' ');
      out += wrapped(line, further).substr(4);
    } else {
      out += indent + line + "\n";
    }
  }
  return out;
}

// A compiler's words without "In function '...':", which repeat the contract's declaration over three lines of a terminal.
std::string without_functions(const std::string& compiler) {
  std::istringstream in(compiler);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (line.find(": In function '") == std::string::npos) out += line + "\n";
  return out;
}

bool untried(const CheckVerdict& c) {
  return c.failure.starts_with("has not been tried");
}

// "part" where a check gives parts of its points, and the answer earned some but not all.
std::string check_line(const CheckVerdict& c, std::size_t width, ColourMode mode) {
  const bool part = c.passed && c.earned < c.points;
  const std::string mark = part         ? coloured("part", kAmber, mode)
                           : c.passed   ? coloured("ok  ", kGreen, mode)
                           : untried(c) ? "--  "
                                        : coloured("FAIL", kRed, mode);
  return concat("  ", mark, "  ", pad_right(c.name, static_cast<int>(width)), "  ", c.earned, "/", c.points,
                "\n");
}

std::string failure_text(const CheckVerdict& c, ColourMode mode, const std::string& answer,
                         const std::string& file) {
  const std::size_t line_end = c.failure.find('\n');
  const std::string head = printable_utf8(c.failure.substr(0, line_end));  // may be an exception's words
  const std::string words = wrapped(concat(c.name, ": the answer ", head), "").substr(c.name.size());
  std::string text = concat("\n", bold(mode), c.name, reset(mode), words);
  if (line_end != std::string::npos)
    text += first_lines(replaced(c.failure.substr(line_end + 1), answer + ":", file + ":"), 60, "", true);
  if (!c.printed.empty()) text += "  It printed:\n" + first_lines(c.printed, kMostPrintedLines, "    ");
  for (const char* says_enough : {"has not written", "does not come back", "touches the device's memory"})
    if (head.starts_with(says_enough)) return text;
  return text + wrapped(c.meaning, "  ");
}

// What the failures that are not shown usually mean: the first is the plainest case, and others name the mistake. Where
// hardly anything is right yet they would only be many.
std::string other_meanings(const Verdict& verdict, const CheckVerdict& shown) {
  constexpr int kMost = 2;
  if (verdict.earned() * 3 < verdict.possible()) return "";
  std::string text;
  int count = 0;
  for (const CheckVerdict& c : verdict.checks)
    if (!c.passed && &c != &shown && !untried(c) && c.failure.starts_with("is wrong") && count++ < kMost)
      text += wrapped(concat(c.name, ": ", c.meaning), "  ");
  return text.empty() ? "" : "\nOther failures usually mean:\n" + text;
}

// Of the last check that has any: it is the largest. "global memory: ...", then the lines that waste. Not of a kernel that
// the device stops: it has to be right first.
std::string notes_text(const Verdict& verdict, const std::string& file) {
  const CheckVerdict* failed = verdict.first_failure();
  if (failed && failed->failure.starts_with("is stopped by the checked device")) return "";
  const auto at = std::find_if(verdict.checks.rbegin(), verdict.checks.rend(),
                               [](const CheckVerdict& c) { return !c.notes.empty(); });
  if (at == verdict.checks.rend()) return "";
  std::string text = concat("\nWhat it asks of memory, in ", at->name, ":\n");
  for (const auto& [name, value] : at->notes)
    text += first_lines("  " + replaced(concat(name, name.ends_with(':') ? " " : ": ", value),
                                        verdict.exercise.answer_file() + ":", file + ":"),
                        1, "", true);
  return text;
}

// Of checks that give parts of their points.
std::string remarks_text(const Verdict& verdict, ColourMode mode) {
  std::string text;
  for (const CheckVerdict& c : verdict.checks)
    if (c.passed && !c.remark.empty())
      text += concat("\n", bold(mode), c.name, reset(mode), ":\n", wrapped(c.remark, "  "));
  return text;
}

}  // namespace

std::string wrap_paragraphs(const std::string& text) {
  std::istringstream in(text);
  std::string out, paragraph;
  bool code = false;
  const auto end = [&] {
    if (!paragraph.empty()) out += wrapped(std::exchange(paragraph, ""), "");
  };
  for (std::string line; std::getline(in, line);) {
    const bool fence = line.starts_with("```");
    const bool as_it_is = code || fence || line.empty() || line[0] == ' ' || line[0] == '|' || line[0] == '-';
    if (as_it_is) end(), out += line + "\n";
    if (!as_it_is) paragraph += line + " ";
    if (fence) code = !code;
  }
  end();
  return out;
}

std::string show(const Verdict& verdict, const ShowOptions& options) {
  const ColourMode mode = options.colour;
  std::string text =
      concat(bold(mode), verdict.exercise.name, reset(mode), "  ", verdict.exercise.title, "\n");
  if (verdict.state == State::not_graded) return concat(text, "  ", summary(verdict), "\n");
  const std::string compiler =
      replaced(without_functions(verdict.compiler), verdict.exercise.answer_file() + ":", options.file + ":");
  if (!verdict.built)
    return concat(text, "\n",
                  first_lines(compiler, kMostCompilerLines, "", compiler.starts_with("Declared, but")), "\n",
                  coloured("It does not compile.", kRed, mode), "\n");
  std::size_t width = 0;
  for (const CheckVerdict& c : verdict.checks) width = std::max(width, c.name.size());
  for (const CheckVerdict& c : verdict.checks) text += check_line(c, width, mode);
  for (const CheckVerdict& c : verdict.checks) {
    if (c.passed) continue;
    text += failure_text(c, mode, verdict.exercise.answer_file(), options.file);
    if (options.every_failure) continue;
    text += other_meanings(verdict, c);
    break;
  }
  text += notes_text(verdict, options.file) + remarks_text(verdict, mode);
  if (!compiler.empty()) text += "\nThe compiler warns:\n" + first_lines(compiler, 12, "  ");
  return concat(text, "\n", verdict.earned(), " of ", verdict.possible(), " points: ", summary(verdict),
                "  (seed ", verdict.seed, ")\n");
}

}  // namespace moe::grade
