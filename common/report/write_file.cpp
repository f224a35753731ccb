#include "common/report/write_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernels/base/check.hpp"

namespace moe {

void write_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".part";
  std::ofstream out(temporary, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    std::remove(temporary.c_str());
    throw UserError(ExitCode::bad_file, concat("cannot write ", path, ": ", std::strerror(reason)),
                    "Choose another folder, or make this one writable, with space left.");
  }
}

void make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw UserError(ExitCode::bad_file, concat(directory, " cannot be created: ", error.message()),
                    "choose another folder");
}

}  // namespace moe
