#include "common/data/domain_source.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr std::size_t kBlock = 16 << 10;
constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kLargest = 256 << 20;

[[noreturn]] void refuse(const std::string& path, const std::string& why, const std::string& remedy) {
  throw UserError(ExitCode::bad_file, concat("text '", path, "': ", why), remedy);
}

std::vector<std::string> glob_sorted(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::sort(paths.begin(), paths.end());  // by bytes: glob's own order depends on the locale
  return paths;
}

std::vector<std::string> expand(const std::string& pattern) {
  const std::size_t slash = pattern.rfind('/');
  MOE_CHECK(slash != std::string::npos, "pattern ", pattern, " has no directory");
  auto directories = glob_sorted(pattern.substr(0, slash));
  std::sort(directories.begin(), directories.end(),
            [](const auto& a, const auto& b) { return ::strverscmp(a.c_str(), b.c_str()) > 0; });
  for (const std::string& directory : directories)
    if (auto files = glob_sorted(directory + pattern.substr(slash)); !files.empty()) return files;
  return {};
}

std::vector<std::string> files_of(const DomainSource& source) {
  if (source.package.empty()) return source.where;
  for (const std::string& pattern : source.where)
    if (auto files = expand(pattern); !files.empty()) return files;
  return {};
}

// What the program prints; empty where it fails, as it does when its data are in a package of their own.
std::string output_of(const std::string& program, const std::string& arguments) {
  const std::string command = program + " " + arguments + " </dev/null 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return {};
  std::string text, chunk(kChunk, '\0');
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) text.append(chunk, 0, n);
  return ::pclose(pipe) == 0 ? text : std::string();
}

void check_kind(int file, const std::string& path) {
  struct stat info {};
  if (::fstat(file, &info) != 0) refuse(path, std::strerror(errno), "check the path");
  if (S_ISDIR(info.st_mode))
    refuse(path, "is a directory", "name one file; several become one with: cat DIRECTORY/* > all.txt");
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) refuse(path, "is not a file", "name a file of text");
}

struct CloseGz {
  void operator()(gzFile file) const { ::gzclose(file); }
};
using GzFile = std::unique_ptr<gzFile_s, CloseGz>;

GzFile open_text(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const int error = errno;
    refuse(path, error == ENOENT ? "there is no such file" : std::strerror(error),
           "check the path and its permissions");
  }
  try {
    check_kind(file, path);
  } catch (...) {
    ::close(file);
    throw;
  }
  GzFile text(::gzdopen(file, "rb"));
  MOE_CHECK(text != nullptr, "zlib has no memory");
  ::gzbuffer(text.get(), kChunk);
  return text;
}

// The texts cut to `limit` bytes together, each to its share.
void spread(std::vector<std::string>& texts, std::int64_t limit) {
  double total = 0;
  for (const std::string& text : texts) total += static_cast<double>(text.size());
  if (limit == 0 || total <= static_cast<double>(limit)) return;
  for (std::string& text : texts) {
    const double share = static_cast<double>(limit) * static_cast<double>(text.size()) / total;
    text = evenly_spread(text, static_cast<std::int64_t>(share));
  }
}

bool good_name(const std::string& name) {
  return !name.empty() && name.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-_") == std::string::npos;
}

}  // namespace

std::string install_command(const std::vector<const DomainSource*>& sources) {
  std::string command = "apt-get install";
  for (const DomainSource* source : sources) command += " " + source->package;
  return command;
}

DomainSource parse_text_argument(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == argument.size() || !good_name(name))
    throw UserError(ExitCode::usage, concat("--text '", argument, "' is not of the form name=path"),
                    "for example: --text novel=moby.txt (the name: letters, digits, '-' and '_')");
  DomainSource source;
  source.name = name;
  source.where = {argument.substr(equals + 1)};
  source.source = source.where[0];
  source.licence = "your own file";
  return source;
}

std::vector<std::string> read_texts(const DomainSource& source) {
  std::vector<std::string> texts;
  for (const std::string& path : files_of(source)) {
    std::string text = source.arguments.empty() ? read_file(path) : output_of(path, source.arguments);
    text = source.strip(text);
    if (!text.empty() || source.package.empty()) texts.push_back(std::move(text));
  }
  spread(texts, source.limit);
  return texts;
}

std::string read_file(const std::string& path) {
  const GzFile file = open_text(path);
  std::string text;
  for (;;) {
    const std::size_t size = text.size();
    if (size > kLargest) refuse(path, "has more than 256 MiB of text", "take a part of it: head -c 200M");
    text.resize(size + kChunk);
    const int n = ::gzread(file.get(), text.data() + size, kChunk);
    text.resize(size + static_cast<std::size_t>(std::max(n, 0)));
    if (n <= 0) break;
  }
  int status = Z_OK;
  ::gzerror(file.get(), &status);  // a gzip file cut short ends quietly but for this
  if (status != Z_OK && status != Z_STREAM_END)
    refuse(path, "cannot be read to its end", "check it with: gzip -t, or copy it again");
  return text;
}

std::string evenly_spread(const std::string& text, std::int64_t limit) {
  if (static_cast<std::int64_t>(text.size()) <= limit) return text;
  const double ratio = static_cast<double>(limit) / static_cast<double>(text.size());
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(begin + kBlock, text.size());
    const std::size_t newline = text.rfind('\n', end - 1);
    if (end < text.size() && newline != std::string::npos && newline >= begin) end = newline + 1;
    // Keep the block if what was kept so far still falls behind its share of what was seen.
    if (static_cast<double>(kept.size() + end - begin) <= ratio * static_cast<double>(end))
      kept.append(text, begin, end - begin);
    begin = end;
  }
  return kept;
}

}  // namespace moe
