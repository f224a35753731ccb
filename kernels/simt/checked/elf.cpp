#include "kernels/simt/checked/elf.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>

namespace moe::simt {
namespace {

// The program's file in memory, while it is read.
class File {
 public:
  File() {
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file >= 0 && fstat(file, &status) == 0) {
      bytes_ = static_cast<std::size_t>(status.st_size);
      memory_ = mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    if (file >= 0) close(file);
  }
  ~File() {
    if (ok()) munmap(memory_, bytes_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool ok() const { return memory_ != MAP_FAILED && bytes_ >= sizeof(ElfW(Ehdr)); }
  template <class T>
  std::span<const T> at(std::size_t offset, std::size_t count) const {
    if (offset > bytes_ || count > (bytes_ - offset) / sizeof(T)) return {};
    return {reinterpret_cast<const T*>(static_cast<const char*>(memory_) + offset), count};
  }

 private:
  void* memory_ = MAP_FAILED;
  std::size_t bytes_ = 0;
};

bool is_shared_variable(const ElfW(Sym) & symbol, const char* name) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_TLS && std::strstr(name, "kernels_checked") != nullptr;
}

void sort(std::vector<Symbol>& symbols) {
  std::sort(symbols.begin(), symbols.end(),
            [](const Symbol& a, const Symbol& b) { return a.begin < b.begin; });
}

Symbols read_symbols() {
  Symbols found;
  const File file;
  if (!file.ok()) return found;
  const auto& header = file.at<ElfW(Ehdr)>(0, 1)[0];
  const auto sections = file.at<ElfW(Shdr)>(header.e_shoff, header.e_shnum);
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const auto names = file.at<char>(sections[section.sh_link].sh_offset, sections[section.sh_link].sh_size);
    for (const auto& symbol : file.at<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)))) {
      if (symbol.st_name >= names.size() || symbol.st_shndx == SHN_UNDEF) continue;
      const char* name = names.data() + symbol.st_name;
      if (is_shared_variable(symbol, name))
        found.shared.push_back({symbol.st_value, symbol.st_size, name});
      else if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
        found.functions.push_back({symbol.st_value, symbol.st_size, name});
    }
  }
  sort(found.functions);
  sort(found.shared);
  return found;
}

// The program itself is the first that dl_iterate_phdr shows.
struct Image {
  std::uintptr_t bias = 0, thread_storage = 0;
  std::vector<std::pair<std::uintptr_t, std::size_t>> constants;  // begin, bytes
};

int read_image(dl_phdr_info* info, std::size_t, void* result) {
  Image& image = *static_cast<Image*>(result);
  image.bias = info->dlpi_addr;
  image.thread_storage = reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
  for (const auto& segment : std::span(info->dlpi_phdr, info->dlpi_phnum))
    if (segment.p_type == PT_LOAD && !(segment.p_flags & PF_W))
      image.constants.emplace_back(info->dlpi_addr + segment.p_vaddr, segment.p_memsz);
  return 1;
}

Image image() {
  Image result;
  dl_iterate_phdr(read_image, &result);
  return result;
}

}  // namespace

const Symbols& program_symbols() {
  static const Symbols symbols = read_symbols();
  return symbols;
}

const Symbol* holder(const std::vector<Symbol>& symbols, std::uintptr_t address) {
  const auto next = std::upper_bound(symbols.begin(), symbols.end(), address,
                                     [](std::uintptr_t a, const Symbol& s) { return a < s.begin; });
  if (next == symbols.begin()) return nullptr;
  const Symbol& symbol = *std::prev(next);
  return address - symbol.begin < symbol.bytes ? &symbol : nullptr;
}

std::string demangled(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string result = status == 0 ? text : name;
  std::free(text);
  return result;
}

std::uintptr_t load_bias() {
  return image().bias;
}

std::uintptr_t thread_storage() {
  return image().thread_storage;
}

bool is_constant(std::uintptr_t address) {
  for (const auto& [begin, bytes] : image().constants)
    if (address - begin < bytes) return true;
  return false;
}

}  // namespace moe::simt
