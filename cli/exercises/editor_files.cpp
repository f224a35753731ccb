#include "cli/exercises/editor_files.hpp"

#include <sys/stat.h>

#include <string>

#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

std::string json_escape(const std::string& text) {
  std::string out;
  for (const char c : text) out += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return out;
}

// The contract stands beside the stub in the repository; kernels also see what the device is made of.
std::string command(const fs::path& directory, const grade::Exercise& e) {
  const std::string file = (directory / (e.name + e.stub().extension().string())).string();
  std::string words =
      "\"c++\", \"-std=c++20\", \"-Wall\", \"-Wextra\", \"-I" + json_escape(e.folder.string()) + "\"";
  if (e.device)
    words +=
        ", \"-I" + json_escape(grade::repository().string()) +
        "\", \"-DMOE_CHECKED_BACKEND\", \"-DMOE_HAVE_CHECKED\", \"-DMOE_HAVE_EMULATED\", \"-x\", \"c++\"";
  return concat("  {\"directory\": \"", json_escape(directory.string()), "\",\n   \"file\": \"",
                json_escape(file), "\",\n   \"arguments\": [", words, ", \"-c\", \"", json_escape(file),
                "\"]}");
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

void write_editor_files(const fs::path& directory, const std::vector<grade::Exercise>& all) {
  std::string commands = "[\n";
  for (std::size_t i = 0; i < all.size(); ++i)
    commands += command(directory, all[i]) + (i + 1 < all.size() ? ",\n" : "\n");
  write_file(directory / "compile_commands.json", commands + "]\n");
  write_file(directory / ".clangd", "If: {PathMatch: .*\\.cu}\nCompileFlags: {Add: [-xc++]}\n");
  const fs::path program = directory / "moe";
  write_file(program, concat("#!/bin/sh\n# This repository's moe, on this directory.\nMOE_WORK=",
                             quoted(directory.string()), " exec ",
                             quoted((grade::repository() / "moe").string()), " \"$@\"\n"));
  chmod(program.c_str(), 0755);
}

}  // namespace moe
