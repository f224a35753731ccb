#include "common/app/flags.hpp"

#include <CLI/CLI.hpp>  // the only file that knows it: 7 s to compile
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "common/app/config_file.hpp"
#include "common/app/flag_help.hpp"
#include "common/app/main.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

// "--out,-o" -> "--out"; "prompt" -> "prompt"
std::string first_name(const std::string& names) {
  return names.substr(0, names.find(','));
}

[[noreturn]] void usage(const std::string& what, const std::string& remedy) {
  throw UserError(ExitCode::usage, what, remedy);
}

}  // namespace

// CLI11 finds out which words belong to which flag; values are converted here, alike for both sources.
struct Flags::Parser {
  struct Flag {
    std::string name;
    FlagTarget target;
    Limits limits;
    CLI::Option* option;
    bool given = false;
  };

  std::string program;
  CLI::App app;
  HelpPage page;
  std::vector<Flag> flags;
  std::string config_name, config_path;

  Flag* find(const std::string& name) {
    const auto at = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; });
    return at == flags.end() ? nullptr : &*at;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out{"--help", "--version"};
    for (const Flag& flag : flags)
      if (flag.name[0] == '-') out.push_back(flag.name);
    return out;
  }
  std::string see_help() const { return "See " + program + " --help."; }
  std::string suggestion(const std::string& word, bool dashes) const {
    const std::string known = most_similar(word, names());
    return known.empty() ? see_help() : "Did you mean " + known.substr(dashes ? 0 : 2) + "? " + see_help();
  }

  void split_words(int argc, const char* const* argv);
  void refuse_leftovers();
  void take_command_line();
  void take_config_file();
};

Flags::Flags(std::string program, std::string summary, std::string examples)
    : parser_(std::make_unique<Parser>()) {
  Parser& p = *parser_;
  p.program = program;
  p.page = {std::move(program), std::move(summary), std::move(examples), {}};
  p.app.set_help_flag("");
  p.app.add_flag("--help,-h");
  p.app.add_flag("--version");
  p.app.allow_extras();
}

Flags::~Flags() = default;

void Flags::add_target(const std::string& names, FlagTarget target, const std::string& help,
                       const Limits& limits) {
  Parser& p = *parser_;
  const std::string name = first_name(names);
  MOE_CHECK(!p.find(name), "two flags named ", name);
  CLI::Option* option = nullptr;
  if (is_switch(target)) {
    option = p.app.add_flag(names + ",!--no-" + name.substr(2));
  } else {
    option = p.app.add_option(names);
    option->expected(1)->allow_extra_args(!name.starts_with('-') && placeholder(target).ends_with("..."));
  }
  option->take_all();
  p.flags.push_back({name, target, limits, option});
  p.page.entries.push_back({names, placeholder(target), help, show(target), limits, is_switch(target)});
}

void Flags::group(const std::string& title) {
  parser_->page.entries.push_back({.help = title});
}

void Flags::config_file(const std::string& name) {
  add(name, parser_->config_path, "file of `key = value` lines; flags on the command line come first");
  parser_->config_name = first_name(name);
}

void Flags::Parser::split_words(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    usage(error.what(), see_help());
  }
}

void Flags::Parser::refuse_leftovers() {
  for (const std::string& word : app.remaining()) {
    if (word == "--") continue;  // what follows it is positional
    const std::string flag = word.substr(0, word.find('='));
    if (word.starts_with("-") && word.size() > 1) usage("unknown flag " + flag, suggestion(flag, true));
    usage("unexpected argument " + word, see_help());
  }
}

void Flags::Parser::take_command_line() {
  for (Flag& flag : flags) {
    flag.given = flag.option->count() > 0;
    if (!flag.given) continue;
    const std::string wrong = assign(flag.target, flag.option->results(), flag.limits);
    if (!wrong.empty()) usage(flag.name + " " + wrong, see_help());
  }
}

void Flags::Parser::take_config_file() {
  if (config_path.empty()) return;
  for (const Setting& setting : read_config_file(config_path)) {
    const std::string where = concat(config_path, ":", setting.line, ": ");
    const auto fail = [&](const std::string& what, const std::string& remedy) {
      throw UserError(ExitCode::bad_file, where + what, remedy);
    };
    Flag* flag = find("--" + setting.key);
    if (!flag || flag->name == config_name)
      fail("unknown key " + setting.key, suggestion("--" + setting.key, false));
    if (flag->option->count() > 0) continue;
    const std::string wrong =
        setting.values.empty() ? "has no value" : assign(flag->target, setting.values, flag->limits);
    if (!wrong.empty()) fail(setting.key + " " + wrong, see_help());
    flag->given = true;
  }
}

void Flags::parse(int argc, const char* const* argv) {
  Parser& p = *parser_;
  p.split_words(argc, argv);
  if (p.app.count("--help") > 0) {
    std::fputs(help().c_str(), stdout);
    std::exit(0);
  }
  if (p.app.count("--version") > 0) {
    std::printf("MoE Odyssey %s\n", version());
    std::exit(0);
  }
  p.refuse_leftovers();
  p.take_command_line();
  p.take_config_file();
  for (const Parser::Flag& flag : p.flags)
    if (flag.limits.required && !flag.given) usage(flag.name + " is missing", p.see_help());
}

bool Flags::given(const std::string& name) const {
  const Parser::Flag* flag = parser_->find(name);
  MOE_CHECK(flag, "no flag ", name);
  return flag->given;
}

std::string Flags::help() const {
  return render(parser_->page);
}

std::vector<std::pair<std::string, std::string>> Flags::values() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Parser::Flag& flag : parser_->flags)
    out.emplace_back(flag.name.substr(flag.name.starts_with("--") ? 2 : 0), show(flag.target));
  return out;
}

}  // namespace moe
