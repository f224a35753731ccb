// What grader and worker say to each other. The worker is the program that an answer is linked into; it gets a call as
// arrays and scalars, makes it, and sends back every array as it lies in memory, guard zones included. It judges nothing
// and knows no expected value. Plain memory in this machine's byte order: both ends are one build.
//
//   request   RequestHeader, then per argument an ArgumentHeader and its bytes
//   reply     ReplyHeader; where status is ok: per array argument guard, bytes, guard, and the result's bytes;
//             in every case `text_bytes` of message and `note_bytes` of notes ("name\tvalue\n").
//             A device's notes "traffic": "global load 480 120 ": passes and least passes of all such accesses; and
//             "global load 400 100 answer.cu:23: load from ...", of a line: the worst lines, as many as there is room for
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace moe::grade {

inline constexpr std::uint32_t kMagic = 0x4d6f4545;  // "MoEE"
inline constexpr int kRequestFd = 3, kReplyFd = 4;
inline constexpr std::size_t kGuardBytes = 256;  // on either side of every array
inline constexpr std::size_t kMostBytes = std::size_t{1} << 28;
inline constexpr std::uint32_t kMostArguments = 32;

enum class Element : std::uint8_t { bytes, boolean, i32, i64, f32, f64 };

// An output arrives poisoned. `inout`: its first contents mean something.
enum class Role : std::uint8_t { scalar, input, output, inout };

enum class Status : std::uint32_t {
  ok,
  exception,  // thrown by the answer
  device,     // a finding of the checked device
  misuse      // the checks and the contract do not agree: the exercise's own fault
};

struct RequestHeader {
  std::uint32_t magic = kMagic, sequence = 0;
  char function[56] = {};
  std::uint32_t arguments = 0;
  std::uint32_t order = 0;  // in which the emulated device runs threads (Context::emulated_order)
};

struct ArgumentHeader {
  Role role;
  Element element;
  std::uint8_t unused[6] = {};
  std::uint64_t bytes;
};

struct ReplyHeader {
  std::uint32_t magic = kMagic, sequence = 0;
  Status status = Status::ok;
  std::uint32_t result_bytes = 0;
  std::uint64_t array_bytes = 0;  // guards included
  std::uint32_t text_bytes = 0, note_bytes = 0;
};

template <class T>
constexpr Element element_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, bool>) return Element::boolean;
  if constexpr (std::is_same_v<U, std::int32_t>) return Element::i32;
  if constexpr (std::is_same_v<U, std::int64_t>) return Element::i64;
  if constexpr (std::is_same_v<U, float>) return Element::f32;
  if constexpr (std::is_same_v<U, double>) return Element::f64;
  return Element::bytes;
}

inline constexpr const char* name_of(Element element) {
  constexpr const char* kNames[] = {"bytes", "bool", "int32", "int64", "float", "double"};
  return kNames[static_cast<std::size_t>(element)];
}

// The guard zones' bytes: no repeated value, so that a stray write of any constant shows.
inline constexpr std::uint8_t guard_byte(std::size_t i) {
  return static_cast<std::uint8_t>(0xC5 ^ (i * 37));
}

}  // namespace moe::grade
