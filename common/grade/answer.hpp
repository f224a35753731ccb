// The answer as a check sees it: functions to call, in a process of their own. Everything that can go wrong on the way
// becomes a Failed with the reason in the learner's words.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/grade/notes.hpp"
#include "common/grade/protocol.hpp"

namespace moe::grade {

// What outputs hold before a call: the least integer, a NaN that no arithmetic makes.
template <class T>
T poison() {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(0x7fc0beefu);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(0x7ff8beefbeefbeefu);
  else
    return std::numeric_limits<T>::min();
}
template <class T>
bool is_poison(T x) {
  const T p = poison<T>();
  return std::memcmp(&x, &p, sizeof(T)) == 0;
}

// A check is not passed; what() is what the learner reads. Thrown by Answer::call and by the expectations of check.hpp.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One argument of a call. `name` is the contract's; it is what failures speak of.
struct Sent {
  std::string name;
  Role role;
  Element element;
  std::size_t count;  // elements
  std::size_t element_bytes;
  const void* from;
  void* to = nullptr;        // outputs: where they go
  std::int64_t columns = 1;  // of a row, for showing it
};

template <class T>
Sent In(const std::string& name, const std::vector<T>& values, std::int64_t columns = 1) {
  return {name, Role::input, element_of<T>(), values.size(), sizeof(T), values.data(), nullptr, columns};
}
// Resized to n and poisoned (NaN, or the least integer) before the call.
template <class T>
Sent Out(const std::string& name, std::vector<T>& values, std::int64_t n);
template <class T>
Sent InOut(const std::string& name, std::vector<T>& values, std::int64_t columns = 1) {
  return {name,      Role::inout,   element_of<T>(), values.size(),
          sizeof(T), values.data(), values.data(),   columns};
}
template <class T>
Sent Value(const T& value) {
  return {"", Role::scalar, element_of<T>(), 1, sizeof(T), &value};
}
inline Sent Value(const Sent& sent) {
  return sent;
}

struct AnswerOptions {
  std::string program;  // the worker
  std::string scratch;  // a directory that the worker may see
  double seconds = 5;   // for one call
  std::uint64_t memory = std::uint64_t{1} << 30;
  std::uint64_t address_space = std::uint64_t{2} << 30;
  bool seal = true;
};

// What the kernels of all calls so far asked of memory (kernels/simt/traffic.hpp): a sum for each kind of access, and then
// lines of the answer, the one that wastes most first; of many lines the best are left out. Only a device has it.
struct AskedOfMemory {
  std::string space, kind;             // "global" or "shared"; "load", "store" or "atomic"
  std::int64_t passes = 0, least = 0;  // sectors or wavefronts
  std::string
      text;  // of a line "answer.cu:23: load from global memory, 32.0 sectors a request, 4.0 would do"; of a sum ""
};

class Answer {
 public:
  explicit Answer(AnswerOptions options);  // the worker starts with the first call
  ~Answer();
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // Calls the contract's function. Arguments are In, Out, InOut, and plain values in their places; int is int32, so a size
  // must be std::int64_t if the contract says so. After it outputs hold what the answer left there. Throws Failed: crash,
  // time, memory, an exception, a finding of the checked device, a write outside of the outputs.
  template <class... Arguments>
  void call(const std::string& function, const Arguments&... arguments) {
    call(function, std::vector<Sent>{Value(arguments)...}, {});
  }
  // The same for a function that returns R.
  template <class R, class... Arguments>
  R result_of(const std::string& function, const Arguments&... arguments) {
    R result{};
    call(function, std::vector<Sent>{Value(arguments)...},
         {reinterpret_cast<std::byte*>(&result), sizeof(R)});
    return result;
  }

  void limit_seconds(double seconds);  // of one call; before the first

  // Ends the worker. Throws Failed where the answer left processes behind.
  void finish();

  // What the answer printed so far, and what the device noted of all calls ("global memory", "4.0 sectors a
  // request, 3.8 would do").
  std::string printed();
  Notes notes;
  std::vector<AskedOfMemory> traffic;
  // Order of the threads of the emulated device in the next calls; 0: as they are numbered.
  std::uint32_t order = 0;

 private:
  struct Process;
  void call(const std::string& function, const std::vector<Sent>& sent, std::span<std::byte> result);
  void take_notes(const Notes& all);
  std::unique_ptr<Process> process_;
  std::uint32_t sequence_ = 0;
};

extern template Sent Out(const std::string&, std::vector<std::int32_t>&, std::int64_t);
extern template Sent Out(const std::string&, std::vector<std::int64_t>&, std::int64_t);
extern template Sent Out(const std::string&, std::vector<float>&, std::int64_t);
extern template Sent Out(const std::string&, std::vector<double>&, std::int64_t);

}  // namespace moe::grade
