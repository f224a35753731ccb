#include "cli/measure/figures.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/measure/measure.hpp"
#include "common/app/flag_value.hpp"
#include "common/app/flags.hpp"
#include "common/io/file.hpp"
#include "common/report/write_file.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

std::string out_of(const Figure& figure) {
  return concat("runs/figures/", figure.name);
}

std::vector<std::string> arguments_of(const Figure& figure) {
  std::vector<std::string> words = figure.arguments;
  for (std::string& word : words)
    if (word == "{out}") word = out_of(figure);
  return words;
}

// `moe`, which stands beside this program, with these arguments; its standard output goes into a file.
void run(const std::vector<std::string>& arguments, const std::string& output) {
  std::string moe = (fs::read_symlink("/proc/self/exe").parent_path() / "moe").string();
  std::vector<std::string> words = arguments;
  std::vector<char*> argv = {moe.data()};
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  pid_t child = 0;
  const int failed = posix_spawn(&child, moe.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  MOE_CHECK(failed == 0, "posix_spawn: ", std::strerror(failed));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) MOE_CHECK(errno == EINTR, "waitpid: ", std::strerror(errno));
  if (status != 0)
    throw UserError(ExitCode::verdict_failed, concat("moe ", words[0], " did not end well"),
                    "its messages stand above");
}

void make(const Figure& figure) {
  const std::string out = out_of(figure);
  fs::create_directories(out);
  run(arguments_of(figure), out + "/stdout");
  for (const Record& record : figure.records) {
    const std::string content = read_text_file(out + "/" + std::string(record.result), 1 << 24),
                      document(record.document);
    fs::create_directories(fs::path(document).parent_path().empty() ? "." : fs::path(document).parent_path());
    write_file(document, record.marker.empty()
                             ? content
                             : with_record(read_text_file(document, 1 << 24), record, content));
    std::printf("  %s\n", document.c_str());
  }
}

void print(const Figure& figure) {
  std::printf("%s (%s)\n  moe", figure.name.data(), figure.cost.data());
  for (const std::string& argument : arguments_of(figure)) std::printf(" %s", argument.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

const Figure& find_figure(const std::string& name) {
  std::vector<std::string> names;
  for (const Figure& figure : figures()) {
    if (figure.name == name) return figure;
    names.emplace_back(figure.name);
  }
  throw UserError(ExitCode::usage, "there is no figure '" + name + "'",
                  did_you_mean(name, names) + "`moe figures --list` shows them.");
}

}  // namespace

std::span<const Figure> figures() {
  static const std::vector<Figure> rows = {
      {"demo",
       {"demo", "1", "--out", "{out}"},
       {{"comparison.txt", "README.md", "demo"},
        {"held_out.svg", "docs/figures/held_out.svg", ""},
        {"experts.svg", "docs/figures/experts.svg", ""},
        {"comparison.txt", "sessions/01_overview/README.md", "demo"}},
       "about a minute and a half on two cores"},
      {"dense_ffn",
       {"stage", "1.1", "--out", "{out}"},
       {{"dense_ffn.txt", "sessions/01_overview/README.md", "dense_ffn"},
        {"dense_ffn.svg", "docs/figures/dense_ffn.svg", ""}},
       "at once; counts, measures nothing"},
      {"mixture",
       {"stage", "1.2", "--out", "{out}"},
       {{"mixture.txt", "sessions/01_overview/README.md", "mixture"},
        {"mixture.svg", "docs/figures/mixture.svg", ""}},
       "at once"},
      {"top_k_routing",
       {"stage", "1.3", "--out", "{out}"},
       {{"top_k_routing.txt", "sessions/01_overview/README.md", "top_k_routing"},
        {"top_k_routing.svg", "docs/figures/top_k_routing.svg", ""}},
       "about ten seconds on two cores"},
      {"load_balance",
       {"stage", "1.4", "--out", "{out}"},
       {{"load_balance.txt", "sessions/01_overview/README.md", "load_balance"},
        {"load_balance.svg", "docs/figures/load_balance.svg", ""}},
       "about fifteen seconds on two cores"},
      {"router_zoo",
       {"stage", "1.5", "--out", "{out}"},
       {{"router_zoo.txt", "sessions/01_overview/README.md", "router_zoo"},
        {"choosing.md", "sessions/01_overview/README.md", "choosing"},
        {"router_zoo.svg", "docs/figures/router_zoo.svg", ""}},
       "about four minutes on two cores"},
      {"challenges",
       {"stage", "1.6", "--out", "{out}"},
       {{"instability.txt", "sessions/01_overview/README.md", "instability"},
        {"collapse.txt", "sessions/01_overview/README.md", "collapse"},
        {"redundancy.txt", "sessions/01_overview/README.md", "redundancy"},
        {"random_routing.txt", "sessions/01_overview/README.md", "random_routing"},
        {"instability.svg", "docs/figures/instability.svg", ""},
        {"collapse.svg", "docs/figures/collapse.svg", ""},
        {"redundancy.svg", "docs/figures/redundancy.svg", ""},
        {"random_routing.svg", "docs/figures/random_routing.svg", ""}},
       "about two minutes on two cores"},
      {"scan",
       {"demo", "1", "--full", "--out", "{out}"},
       {{"scan.md", "sessions/01_overview/README.md", "scan"}, {"scan.svg", "docs/figures/scan.svg", ""}},
       "about 6 minutes on two cores; runs that are there already are kept"},
      {"bench_moe_layer",
       {"bench", "moe_layer", "--markdown"},
       {{"stdout", "README.md", "bench_moe_layer"}, {"stdout", "docs/performance.md", "bench_moe_layer"}},
       "a few seconds"},
      {"bench_train",
       {"bench", "train", "--markdown"},
       {{"stdout", "README.md", "bench_train"}, {"stdout", "docs/performance.md", "bench_train"}},
       "a few seconds"},
      {"bench_operations",
       {"bench", "train", "--markdown", "--by-operation"},
       {{"stdout", "docs/performance.md", "bench_operations"}},
       "a few seconds"},
      {"bench_kernels",
       {"bench", "kernels", "--markdown"},
       {{"stdout", "kernels/README.md", "bench_kernels"}},
       "half a minute"},
      {"bench_tokenizer",
       {"bench", "tokenizer", "--markdown"},
       {{"stdout", "docs/performance.md", "bench_tokenizer"}},
       "half a minute"},
      {"agreement",
       {"demo", "1", "--quick", "--device", "emulated", "--out", "{out}"},
       {{"agreement.txt", "docs/gpu.md", "agreement"}},
       "ten seconds"},
      {"agreement_bf16",
       {"demo", "1", "--quick", "--device", "emulated", "--dtype", "bf16", "--out", "{out}"},
       {{"agreement.txt", "docs/gpu.md", "agreement_bf16"}},
       "twenty seconds"},
      {"bench_emulated",
       {"bench", "emulated", "--markdown"},
       {{"stdout", "kernels/simt/README.md", "bench_emulated"}},
       "ten seconds"},
      {"versions",
       {"bench", "kernels", "--list", "--markdown"},
       {{"stdout", "kernels/README.md", "versions"}},
       "at once"},
      {"floors",
       {"bench", "floors", "--markdown"},
       {{"stdout", "docs/gpu.md", "floors"}},
       "a second; counts, measures nothing"},
      {"traffic",
       {"bench", "traffic", "--totals", "--markdown"},
       {{"stdout", "docs/gpu.md", "traffic"}},
       "half a minute; counts, measures nothing"},
#ifdef MOE_HAVE_EXERCISES
      {"learner",
       {"teach", "show", "top_k_gate", "overflow"},
       {{"stdout", "docs/learner.md", "learner"}},
       "a second"},
      {"race",
       {"teach", "show", "softmax_top_k_kernel", "shared_without_barrier"},
       {{"stdout", "docs/learner.md", "race"}},
       "a few seconds"},
      {"grading",
       {"teach", "cost", "--markdown"},
       {{"stdout", "docs/teacher.md", "grading"}},
       "a minute on idle cores"},
      {"rehearsal",
       {"teach", "rehearse"},
       {{"stdout", "docs/teacher.md", "rehearsal"}},
       "eleven minutes on two idle cores"},
#endif
      {"ptxas",
       {"bench", "ptxas", "--markdown"},
       {{"stdout", "docs/gpu.md", "ptxas"}},
       "a minute on two idle cores; needs nvcc, no GPU"},
  };
  return rows;
}

std::string with_record(const std::string& document, const Record& record, const std::string& content) {
  const std::string begin = concat("<!-- begin ", record.marker, " -->\n"),
                    end = concat("<!-- end ", record.marker, " -->");
  const std::size_t from = document.find(begin), to = document.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from)
    throw UserError(ExitCode::bad_file,
                    concat(record.document, " has no pair of markers for '", record.marker, "'"),
                    concat("put these lines where it belongs:\n", begin, end));
  const bool fenced = !content.starts_with("|");  // a Markdown table stands for itself
  return document.substr(0, from + begin.size()) + (fenced ? "```text\n" : "") + content +
         (content.ends_with("\n") ? "" : "\n") + (fenced ? "```\n" : "") + document.substr(to);
}

int figures_main(int argc, char** argv) {
  bool list_only = false;
  std::vector<std::string> names;
  Flags flags("moe figures",
              "Runs what made the recorded figures and tables, and writes them into the documents.",
              "moe figures --list\nmoe figures\nmoe figures scan");
  flags.add("--list", list_only, "only show what would run, and what it costs");
  flags.add("name", names, "which; all without one");
  flags.parse(argc, argv);
  if (!list_only && !fs::exists("sessions/01_overview/README.md"))
    throw UserError(ExitCode::usage, "the documents are not here", "run it in the repository's root");
  if (names.empty())
    for (const Figure& figure : figures()) names.emplace_back(figure.name);
  for (const std::string& name : names) {
    const Figure& figure = find_figure(name);
    print(figure);
    if (!list_only) make(figure);
  }
  return 0;
}

}  // namespace moe
