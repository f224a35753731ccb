// How findings are worded: the line, the block, the thread, the memory; for a race the other access too.
#include "kernels/base/check.hpp"
#include "kernels/simt/checked/checker.hpp"
#include "kernels/simt/checked/elf.hpp"
#include "kernels/simt/checked/lines.hpp"
#include "kernels/simt/checked/registry.hpp"

namespace moe::simt {
namespace {

std::string bytes_of(std::size_t n) {
  return concat(n, n == 1 ? " byte" : " bytes");
}

const char* verb(Kind kind) {
  return kind == Kind::read ? "reads" : kind == Kind::write ? "writes" : "updates atomically";
}
const char* past(Kind kind) {
  return kind == Kind::read ? "read" : kind == Kind::write ? "wrote" : "updated atomically";
}

std::string past_the_end(std::size_t distance) {
  return distance == 0 ? "right past the end of " : concat(bytes_of(distance), " past the end of ");
}

// "tile" of "moe::kernels_checked::kernel(float*)::tile"
std::string last_part(const std::string& name) {
  const std::size_t at = name.rfind("::");
  return at == std::string::npos ? name : name.substr(at + 2);
}

}  // namespace

// " (argument 2)": the kernel's argument that points into the allocation.
std::string Checker::argument_at(const Place& place) const {
  for (std::size_t i = 0; i < launch_->arguments.size(); ++i) {
    const std::uintptr_t argument = reinterpret_cast<std::uintptr_t>(launch_->arguments[i]);
    if (argument >= place.begin && argument <= place.begin + place.bytes && argument != 0)
      return concat(" (argument ", i + 1, ")");
  }
  return "";
}

std::string Checker::describe_place(std::uintptr_t address) {
  const Place place = locate(address);
  const std::string at = concat("byte ", address - place.begin, " of ");
  switch (place.kind) {
    case Place::Kind::device:
      return concat(at, "an allocation of ", bytes_of(place.bytes), argument_at(place));
    case Place::Kind::dynamic_shared:
      return concat(at, bytes_of(place.bytes), " of dynamic shared memory");
    case Place::Kind::static_shared: {
      const Symbol* symbol = holder(program_symbols().shared, address - thread_storage_);
      return concat(at, "shared ", last_part(demangled(symbol->name)));
    }
    default:
      return "memory unknown to the device";
  }
}

dim3 Checker::block_of(const Access& access) const {
  const std::uint32_t n = access.block - first_block_;
  return nth_block(*launch_, *order_, n);
}

std::string Checker::describe_race() {
  const bool same_block = finding_.other.block == serial_;
  const dim3 other = block_->thread_index(finding_.other.thread);
  return concat(
      "data race ", same_block ? "in a block" : "between blocks", ", ", bytes_of(finding_.touch.bytes),
      " from ", describe_place(finding_.touch.address), "\n  block ", describe(finding_.block), " thread ",
      describe(block_->thread_index(finding_.thread)), " ", verb(finding_.touch.kind), " at ",
      line_of(finding_.touch.pc), "\n  block ", describe(block_of(finding_.other)), " thread ",
      describe(other), " ", past(finding_.other_kind), " at ", line_of(site_base() + finding_.other.site));
}

std::string Checker::describe_outside() {
  const std::uintptr_t address = finding_.touch.address;
  const Place place = locate(address);
  if (place.kind == Place::Kind::stack) return "in another thread's local variables";
  if (place.kind == Place::Kind::constant) return "in constants of the program";
  if (place.kind != Place::Kind::none) return concat("past the end, from ", describe_place(address));
  const Registry::Surroundings around = Registry::instance().around(address);
  if (around.released)
    return concat("in memory that was released: byte ", address - around.released->first,
                  " of an allocation of ", bytes_of(around.released->second));
  // Past the end of what ends nearest before it.
  constexpr std::size_t kFar = ~std::size_t{0};
  const auto after = [=](std::uintptr_t end) { return address >= end ? address - end : kFar; };
  const std::size_t from_shared = dynamic_->bytes() ? after(dynamic_->begin() + dynamic_->bytes()) : kFar;
  const auto [begin, bytes] = around.before.value_or(std::pair<std::uintptr_t, std::size_t>{});
  const std::size_t from_device = around.before ? after(begin + bytes) : kFar;
  if (from_shared < from_device)
    return concat(past_the_end(from_shared), bytes_of(dynamic_->bytes()), " of dynamic shared memory");
  if (!around.before) return "in memory unknown to the device";
  return concat(past_the_end(from_device), "an allocation of ", bytes_of(bytes),
                argument_at({.begin = begin, .bytes = bytes}));
}

std::string Checker::describe_finding() {
  const Touch& touch = finding_.touch;
  const std::string who = concat("block ", describe(finding_.block), " thread ",
                                 describe(block_->thread_index(finding_.thread)), " ");
  const std::string access = concat(who, verb(touch.kind), " ", bytes_of(touch.bytes), " ");
  switch (finding_.what) {
    case Finding::What::race:
      return describe_race();
    case Finding::What::undefined:
      return concat("uninitialised: ", access, "that nobody wrote, from ", describe_place(touch.address));
    case Finding::What::outside:
      return concat("out of bounds: ", access, describe_outside());
    case Finding::What::misaligned:
      return concat("misaligned: ", who, "uses ", finding_.type, " at an address that is no multiple of ",
                    finding_.number, ", ", describe_place(touch.address));
    case Finding::What::bad_index:
      return concat("out of bounds: ", who, "takes index ", finding_.number, " of ", finding_.type);
  }
  return "";
}

void Checker::fail() {
  const std::string where =
      finding_.file ? concat(finding_.file, ":", finding_.line) : line_of(finding_.touch.pc);
  throw Error(concat(where, ": ", describe_finding()));
}

}  // namespace moe::simt
