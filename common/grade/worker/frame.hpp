// A request, decoded, and the answer's functions: how the worker gets from bytes to a call. Linked into every answer;
// includes nothing of the library but the protocol.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "common/grade/protocol.hpp"

namespace moe {
struct Context;
}

namespace moe::worker {

// Memory that an answer's arrays lie in: the host's (host.cpp) or the device's (device.cpp).
struct Array {
  std::byte* block = nullptr;  // guard, data, guard
  std::size_t bytes = 0;       // of the data
  std::byte* data() const { return block + grade::kGuardBytes; }
  std::size_t whole() const { return bytes + 2 * grade::kGuardBytes; }
};
Array make_array(const std::byte* whole, std::size_t bytes, grade::Role role);  // copies guard, data, guard
void read_array(std::byte* whole, const Array& array);
void release_array(const Array& array);
void begin_call(std::uint32_t order);
Context& device_context();  // of the call; device workers only
std::string end_call();  // the device's notes of the calls so far, "name\tvalue\n" each: counts, no mistakes

// The checks and the contract do not agree about a call.
struct Misuse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Frame {
 public:
  struct Argument {
    grade::Role role;
    grade::Element element;
    const std::byte* bytes;
    std::size_t size;
    Array array{};
  };
  explicit Frame(std::vector<Argument> arguments) : arguments_(std::move(arguments)) {}

  // The next argument as the parameter type T of the function.
  template <class T>
  T next() {
    using Plain = std::remove_cvref_t<T>;
    if constexpr (std::is_same_v<Plain, Context>) {
      return device_context();
    } else if constexpr (std::is_pointer_v<Plain>) {
      using Item = std::remove_pointer_t<Plain>;
      const Argument& a = take(grade::element_of<Item>(), true, std::is_const_v<Item>, sizeof(Item));
      return reinterpret_cast<Plain>(a.array.data());
    } else {
      static_assert(std::is_trivially_copyable_v<Plain>);
      const Argument& a = take(grade::element_of<Plain>(), false, true, sizeof(Plain));
      Plain value;
      std::memcpy(&value, a.bytes, sizeof(Plain));
      if constexpr (std::is_reference_v<T>) {
        kept_.emplace_back(sizeof(Plain));
        std::memcpy(kept_.back().data(), &value, sizeof(Plain));
        return *reinterpret_cast<Plain*>(kept_.back().data());
      } else {
        return value;
      }
    }
  }
  template <class T>
  void result(const T& value) {
    result_.resize(sizeof(T));
    std::memcpy(result_.data(), &value, sizeof(T));
  }
  void check_all_taken() const;
  const std::vector<Argument>& arguments() const { return arguments_; }
  const std::vector<std::byte>& result() const { return result_; }

 private:
  const Argument& take(grade::Element element, bool array, bool constant, std::size_t size);
  std::vector<Argument> arguments_;
  std::size_t next_ = 0;
  std::vector<std::vector<std::byte>> kept_;
  std::vector<std::byte> result_;
};

struct Function {
  const char* name;
  void (*call)(Frame&);
};
extern const Function kFunctions[];  // ends with a null name; entry.hpp makes it

template <auto kFunction>
struct Caller;
template <class R, class... P, R (*kFunction)(P...)>
struct Caller<kFunction> {
  static void call(Frame& frame) {
    std::tuple<P...> parameters{frame.next<P>()...};  // braces: in the order of the arguments
    frame.check_all_taken();
    if constexpr (std::is_void_v<R>)
      std::apply(kFunction, parameters);
    else
      frame.result(std::apply(kFunction, parameters));
  }
};

}  // namespace moe::worker
