#include "common/grade/answer.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "common/grade/worker_process.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

void append(std::vector<std::byte>& bytes, const void* from, std::size_t size) {
  const std::size_t before = bytes.size();
  bytes.resize(before + size);
  if (size) std::memcpy(bytes.data() + before, from, size);
}

std::vector<std::byte> encode(const std::string& function, const std::vector<Sent>& sent,
                              std::uint32_t sequence, std::uint32_t order) {
  RequestHeader header{
      .sequence = sequence, .arguments = static_cast<std::uint32_t>(sent.size()), .order = order};
  MOE_CHECK(function.size() < sizeof header.function && sent.size() <= kMostArguments, function);
  std::memcpy(header.function, function.data(), function.size());
  std::vector<std::byte> bytes;
  append(bytes, &header, sizeof header);
  for (const Sent& s : sent) {
    const std::size_t size = s.count * s.element_bytes;
    MOE_CHECK(size <= kMostBytes, s.name);
    const ArgumentHeader argument{.role = s.role, .element = s.element, .bytes = size};
    append(bytes, &argument, sizeof argument);
    append(bytes, s.from, size);
  }
  return bytes;
}

bool guard_is_whole(const std::byte* guard) {
  for (std::size_t i = 0; i < kGuardBytes; ++i)
    if (guard[i] != std::byte{guard_byte(i)}) return false;
  return true;
}

// Which byte of a guard was written, from the array's side: the least distance from the array, in elements.
std::size_t first_behind(const std::byte* guard, const Sent& s) {
  std::size_t i = 0;
  while (guard[i] == std::byte{guard_byte(i)}) ++i;
  return s.count + i / s.element_bytes;
}
std::size_t last_before(const std::byte* guard, const Sent& s) {
  std::size_t i = kGuardBytes;
  while (guard[i - 1] == std::byte{guard_byte(i - 1)}) --i;
  return (kGuardBytes - i) / s.element_bytes + 1;
}

// Copies the array out; throws where the answer wrote beside it, or into an input.
void take_array(const std::byte* whole, const Sent& s) {
  const std::size_t size = s.count * s.element_bytes;
  const std::byte *data = whole + kGuardBytes, *behind = data + size;
  if (!guard_is_whole(whole))
    throw Failed(
        concat("writes before the beginning of ", s.name, ": ", s.name, "[-", last_before(whole, s), "]"));
  if (!guard_is_whole(behind))
    throw Failed(concat("writes past the end of ", s.name, ": ", s.name, "[", first_behind(behind, s),
                        "], but it has ", s.count, s.count == 1 ? " element" : " elements"));
  if (s.role == Role::input) {
    if (size && std::memcmp(data, s.from, size) != 0) throw Failed(concat("changes its input ", s.name));
  } else if (size) {
    std::memcpy(s.to, data, size);
  }
}

AskedOfMemory asked_of_memory(const std::string& note) {
  AskedOfMemory asked;
  std::istringstream in(note);
  in >> asked.space >> asked.kind >> asked.passes >> asked.least >> std::ws;
  std::getline(in, asked.text);
  return asked;
}

}  // namespace

template <class T>
Sent Out(const std::string& name, std::vector<T>& values, std::int64_t n) {
  values.assign(static_cast<std::size_t>(n), poison<T>());
  return {name, Role::output, element_of<T>(), values.size(), sizeof(T), values.data(), values.data()};
}
template Sent Out(const std::string&, std::vector<std::int32_t>&, std::int64_t);
template Sent Out(const std::string&, std::vector<std::int64_t>&, std::int64_t);
template Sent Out(const std::string&, std::vector<float>&, std::int64_t);
template Sent Out(const std::string&, std::vector<double>&, std::int64_t);

struct Answer::Process : WorkerProcess {
  using WorkerProcess::WorkerProcess;
};

Answer::Answer(AnswerOptions options) : process_(std::make_unique<Process>(std::move(options))) {}
Answer::~Answer() = default;

std::string Answer::printed() {
  return process_->printed();
}

void Answer::limit_seconds(double seconds) {
  process_->limit_seconds(seconds);
}

void Answer::finish() {
  process_->finish();
}

// Both are of all calls so far.
void Answer::take_notes(const Notes& all) {
  notes.clear();
  traffic.clear();
  for (const auto& note : all)
    if (note.first == "traffic")
      traffic.push_back(asked_of_memory(note.second));
    else
      notes.push_back(note);
}

void Answer::call(const std::string& function, const std::vector<Sent>& sent, std::span<std::byte> result) {
  std::size_t array_bytes = 0;
  for (const Sent& s : sent)
    if (s.role != Role::scalar) array_bytes += s.count * s.element_bytes + 2 * kGuardBytes;
  ++sequence_;
  const Reply reply =
      process_->exchange(encode(function, sent, sequence_, order), sequence_, {array_bytes, result.size()});
  take_notes(reply.notes);
  const std::byte* at = reply.arrays.data();
  for (const Sent& s : sent) {
    if (s.role == Role::scalar) continue;
    take_array(at, s);
    at += s.count * s.element_bytes + 2 * kGuardBytes;
  }
  std::copy(reply.result.begin(), reply.result.end(), result.begin());
}

}  // namespace moe::grade
