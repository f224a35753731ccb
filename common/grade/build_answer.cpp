#include "common/grade/build_answer.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "common/grade/sandbox.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSource = 1 << 20, kMostText = 16 << 10;
constexpr double kCompileSeconds = 60;

const fs::path& parts() {
  static const fs::path path = MOE_ANSWER_PARTS;
  return path;
}

// The start of a file, and whether something is missing.
std::string head_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kMostText, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.peek() != EOF) text += "\n...\n";
  return text;
}

struct Ran {
  bool ok;
  std::string text;
};

// "... /usr/include/stdio.h": a file that the compiler opens, by -H; "" where a line is none of these.
std::string opened_file(const std::string& line) {
  std::size_t at = line.find_first_not_of('.');
  if (at == std::string::npos || (at == 0 && line[at] == ' ')) return "";
  if (line[at] == '!' || line[at] == 'x') ++at;  // precompiled
  return at > 0 && at + 1 < line.size() && line[at] == ' ' ? line.substr(at + 1) : "";
}

// The compiler's own words: without the files that it opened, which go into `opened`. The assembler's words are left out:
// they may be those of a file that it was asked to include.
std::string words_of_compiler(const fs::path& log, std::vector<std::string>& opened) {
  constexpr const char* kGuards = "Multiple include guards may be useful for:";
  std::ifstream in(log, std::ios::binary);
  std::string text;
  bool whole = true;
  for (std::string line; std::getline(in, line);) {
    if (const std::string file = opened_file(line); !file.empty()) {
      opened.push_back(file);
    } else if (line.ends_with(": Assembler messages:")) {
      return text + "its assembly is refused by the assembler\n";
    } else if (line != kGuards && std::find(opened.begin(), opened.end(), line) == opened.end()) {
      whole = whole && text.size() + line.size() < kMostText;
      if (whole) text += line + "\n";
    }
  }
  return text + (whole ? "" : "\n...\n");
}

// Runs a tool in `directory`, its words into a file beside it.
Ran run_tool(const std::vector<std::string>& words, const fs::path& directory, unsigned user,
             std::vector<std::string>* opened = nullptr) {
  const fs::path log = directory.parent_path() / "tool.log";
  const int text = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  MOE_CHECK(text >= 0, "cannot write ", log.string());
  const pid_t child =
      spawn({.words = words,
             .environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TMPDIR=" + directory.string()},
             .directory = directory,
             .text_fd = text,
             .limits = {.address_space = std::uint64_t{3} << 30,
                        .cpu_seconds = static_cast<int>(kCompileSeconds),
                        .file_bytes = std::uint64_t{128} << 20,
                        .processes = user ? 16 : 4096},
             .user = user});
  close(text);
  int status = 0;
  const bool in_time = wait_for(child, kCompileSeconds, &status);
  Ran ran{in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0,
          opened ? words_of_compiler(log, *opened) : head_of(log)};
  if (!in_time) ran.text += concat("the compiler was stopped after ", kCompileSeconds, " s\n");
  if (in_time && !ran.ok && ran.text.empty())
    ran.text =
        concat(words[0], " ended with ", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), "\n");
  return ran;
}

// -MD names every file that the compiler read, the system's headers as well, --MD those of the assembler (.include,
// .incbin); -H the compiler's at once, and so also where it fails.
std::vector<std::string> compile_words(const Exercise& exercise) {
  std::vector<std::string> words = {MOE_CXX_COMPILER,
                                    "-std=c++20",
                                    "-O1",
                                    "-fno-pie",
                                    "-Wall",
                                    "-Wextra",
                                    "-fmax-errors=8",
                                    "-fdiagnostics-color=never",
                                    "-I."};
  if (exercise.device) {
    std::ifstream flags(parts() / "checked.flags");
    for (std::string flag; flags >> flag;) words.push_back(flag);
    words.insert(words.end(), {"-x", "c++"});
  } else {
    words.push_back("-D_GLIBCXX_ASSERTIONS");  // a wrong index of a vector stops the answer, with a message
  }
#ifndef __clang__  // its assembler knows no --MD
  words.push_back("-Wa,--MD,assembler.d");
#endif
  words.insert(words.end(), {"-H", "-MD", "-MF", "answer.d", "-o", "answer.o", "-c", exercise.answer_file()});
  return words;
}

// What a contract may name: itself, and of the library what the device itself is made of. No operation is there.
void copy_headers(const Exercise& exercise, const fs::path& to) {
  fs::copy_file(exercise.folder / "contract.hpp", to / "contract.hpp");
  if (!exercise.device) return;
  for (const char* folder : {"kernels/base", "kernels/simt"})
    for (const auto& entry : fs::recursive_directory_iterator(repository() / folder)) {
      const fs::path name = fs::relative(entry.path(), repository());
      if (entry.path().extension() != ".hpp") continue;  // the .cuh files hold what an exercise asks for
      fs::create_directories((to / name).parent_path());
      fs::copy_file(entry.path(), to / name);
    }
}

// Names of a makefile's rule.
std::vector<std::string> dependencies(const fs::path& rule) {
  std::ifstream in(rule);
  std::vector<std::string> files;
  std::string word;
  in >> word;  // the target
  while (in >> word)
    if (word != "\\" && !word.ends_with(":")) files.push_back(word);
  return files;
}

// The first of `files` that is neither the system's nor in the scratch directory; "" for none.
std::string foreign_file(const std::vector<std::string>& files, const fs::path& directory) {
  for (const std::string& file : files) {
    const fs::path path = fs::weakly_canonical(directory / file);
    const auto inside = [&](const fs::path& root) { return path.string().starts_with(root.string() + "/"); };
    if (inside(repository()) || !(inside(fs::weakly_canonical(directory)) || inside("/usr"))) return file;
  }
  return "";
}

// An interpreter runs before the program's entry, and with it what .dynamic names: so neither may be there, though an
// answer can bring sections of those names along.
bool starts_at_its_entry(const fs::path& program) {
  std::ifstream in(program, std::ios::binary);
  Elf64_Ehdr header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!in.read(reinterpret_cast<char*>(&segment), sizeof segment)) return false;
    if (segment.p_type == PT_INTERP || segment.p_type == PT_DYNAMIC) return false;
  }
  return header.e_phnum > 0;
}

void hand_over(const fs::path& directory, unsigned user) {
  if (!user) return;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    chmod(entry.path().c_str(), entry.is_directory() ? 0755 : 0644);
  chmod(directory.c_str(), 0700);
  MOE_CHECK(chown(directory.c_str(), user, user) == 0, "cannot give away ", directory.string());
}

// The answer's names must not meet those of the program, as with the library's checked kernels (cmake/MoeTargets.cmake).
Ran close_object(const fs::path& build) {
  const Ran joined =
      run_tool({MOE_LINKER, "-r", "--force-group-allocation", "-o", "all.o", "answer.o"}, build, 0);
  if (!joined.ok) return joined;
  std::vector<std::string> words = {MOE_OBJCOPY, "--wildcard"};
  std::ifstream flags(parts() / "objcopy.flags");
  for (std::string flag; flags >> flag;) words.push_back(flag);
  words.insert(words.end(), {"all.o", "answer.o"});
  return run_tool(words, build, 0);
}

fs::path objects_of(const Exercise& exercise) {
  std::string name = exercise.id;
  std::replace(name.begin(), name.end(), '/', '.');
  return parts() / (name + ".objects");
}

Ran link(const Exercise& exercise, const fs::path& build) {
  return run_tool(
      // No -flto: the linker starts no compiler on what an object says of itself.
      {MOE_CXX_COMPILER, "-static", "-no-pie", "-fno-lto", "-fno-use-linker-plugin",
       "-Wl,-e,moe_worker_start", "-Wl,-z,noexecstack", "@" + objects_of(exercise).string(), "answer.o",
       "@" + (parts() / (exercise.device ? "device.libraries" : "host.libraries")).string(), "-o", "worker"},
      build, 0);
}

// What the linker misses, one name a line: a function that the contract declares and the answer does not define. Other
// words of the linker stay as they are.
std::string missing_functions(const std::string& text) {
  const std::string marker = "undefined reference to `";
  std::set<std::string> names;
  for (std::size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) {
    const std::size_t begin = at + marker.size(), end = text.find("'\n", begin);
    if (end != std::string::npos) names.insert(text.substr(begin, end - begin));
  }
  if (names.empty()) return text;
  std::string out = "Declared, but not defined in the answer (with exactly these parameters):\n";
  for (const std::string& name : names) out += "  " + name + "\n";
  return out;
}

std::string refusal(const std::string& source) {
  if (source.size() > kMostSource) return "the file is larger than 1 MiB";
  if (source.find("incbin") != std::string::npos) return "an answer includes no other file: .incbin";
  return "";
}

}  // namespace

bool is_gradable(const Exercise& exercise) {
  return fs::exists(objects_of(exercise));
}

BuiltAnswer build_answer(const Exercise& exercise, const fs::path& answer, const fs::path& scratch) {
  if (!fs::is_regular_file(answer))
    throw UserError(ExitCode::bad_file, concat(answer.string(), " is no file"), "");
  const std::string source = read_text(answer);
  if (const std::string why = refusal(source); !why.empty()) return {false, why + "\n", {}};
  const fs::path build = scratch / "build";
  fs::create_directories(build);
  copy_headers(exercise, build);
  std::ofstream(build / exercise.answer_file(), std::ios::binary) << source;
  const unsigned user = spare_user();
  hand_over(build, user);
  std::vector<std::string> read;
  const Ran compiled = run_tool(compile_words(exercise), build, user, &read);
  for (const char* rule : {"answer.d", "assembler.d"})
    for (const std::string& file : dependencies(build / rule)) read.push_back(file);
  // Before the compiler's words: they may be those of the file.
  if (const std::string file = foreign_file(read, build); !file.empty())
    return {false, concat("an answer includes its contract and the standard library, not ", file, "\n"), {}};
  if (!compiled.ok) return {false, compiled.text, {}};
  if (exercise.device)
    if (const Ran closed = close_object(build); !closed.ok) return {false, closed.text, {}};
  const Ran linked = link(exercise, build);
  if (!linked.ok) return {false, missing_functions(linked.text), {}};
  if (!starts_at_its_entry(build / "worker"))
    return {false, "an answer brings no loader along: sections .interp and .dynamic\n", {}};
  const fs::path program = scratch / "worker";
  fs::rename(build / "worker", program);
  chmod(program.c_str(), 0755);
  return {true, compiled.text, program};
}

}  // namespace moe::grade
