// The worker: reads calls, makes them, sends back what lies in memory. Ends when the grader closes the pipe.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "common/grade/worker/frame.hpp"

namespace moe::worker {
namespace {

using namespace grade;

bool read_all(void* to, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t n = read(kRequestFd, static_cast<char*>(to) + done, bytes - done);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return true;
}

void write_all(const void* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t n = write(kReplyFd, static_cast<const char*>(from) + done, bytes - done);
    if (n < 0 && errno != EINTR) _exit(1);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

struct Request {
  RequestHeader header;
  std::vector<std::vector<std::byte>> bytes;  // per argument; arrays between their guards
  std::vector<Frame::Argument> arguments;
};

bool read_argument(Request& request) {
  ArgumentHeader header{};
  if (!read_all(&header, sizeof header) || header.bytes > kMostBytes) return false;
  const std::size_t guard = header.role == Role::scalar ? 0 : kGuardBytes;
  std::vector<std::byte>& bytes = request.bytes.emplace_back(header.bytes + 2 * guard);
  if (!read_all(bytes.data() + guard, header.bytes)) return false;
  for (std::size_t i = 0; i < guard; ++i)
    bytes[i] = bytes[guard + header.bytes + i] = std::byte{guard_byte(i)};
  request.arguments.push_back({header.role, header.element, bytes.data(), header.bytes});
  return true;
}

bool read_request(Request& request) {
  if (!read_all(&request.header, sizeof request.header) || request.header.magic != kMagic) return false;
  if (request.header.arguments > kMostArguments) return false;
  request.bytes.reserve(request.header.arguments);
  for (std::uint32_t i = 0; i < request.header.arguments; ++i)
    if (!read_argument(request)) return false;
  request.header.function[sizeof request.header.function - 1] = '\0';
  return true;
}

const Function& find(const char* name) {
  for (const Function* f = kFunctions; f->name; ++f)
    if (std::strcmp(f->name, name) == 0) return *f;
  throw Misuse(std::string("entry.cpp names no function ") + name);
}

struct Reply {
  ReplyHeader header;
  std::vector<std::byte> arrays, result;
  std::string text, notes;
};

void call(Reply& reply, Request& request) {
  begin_call(request.header.order);
  for (std::size_t i = 0; i < request.arguments.size(); ++i)
    if (Frame::Argument& a = request.arguments[i]; a.role != Role::scalar)
      a.array = make_array(request.bytes[i].data(), a.size, a.role);
  Frame frame(std::move(request.arguments));
  find(request.header.function).call(frame);
  for (const Frame::Argument& a : frame.arguments()) {
    if (a.role == Role::scalar) continue;
    reply.arrays.resize(reply.arrays.size() + a.array.whole());
    read_array(reply.arrays.data() + reply.arrays.size() - a.array.whole(), a.array);
    release_array(a.array);
  }
  reply.result = frame.result();
  reply.notes = end_call();
}

// A finding of the checked device is an exception, too; its text names file and line.
Status status_of(const std::exception& error) {
  const std::string text = error.what();
  return text.find(".cu:") != std::string::npos || text.find(".cuh:") != std::string::npos
             ? Status::device
             : Status::exception;
}

void guarded_call(Reply& reply, Request& request) {
  try {
    call(reply, request);
  } catch (const Misuse& error) {
    reply.header.status = Status::misuse, reply.text = error.what();
  } catch (const std::bad_alloc&) {
    reply.header.status = Status::exception, reply.text = "no memory is left (std::bad_alloc)";
  } catch (const std::exception& error) {
    reply.header.status = status_of(error), reply.text = error.what();
  } catch (...) {
    reply.header.status = Status::exception, reply.text = "an exception of unknown type";
  }
}

void send(Reply& reply) {
  if (reply.header.status != Status::ok) reply.arrays.clear(), reply.result.clear();
  if (reply.text.size() > 4000) reply.text.resize(4000);
  if (reply.notes.size() > 4000) reply.notes.resize(reply.notes.rfind('\n', 3999) + 1);  // whole notes
  reply.header.array_bytes = reply.arrays.size();
  reply.header.result_bytes = static_cast<std::uint32_t>(reply.result.size());
  reply.header.text_bytes = static_cast<std::uint32_t>(reply.text.size());
  reply.header.note_bytes = static_cast<std::uint32_t>(reply.notes.size());
  write_all(&reply.header, sizeof reply.header);
  write_all(reply.arrays.data(), reply.arrays.size());
  write_all(reply.result.data(), reply.result.size());
  write_all(reply.text.data(), reply.text.size());
  write_all(reply.notes.data(), reply.notes.size());
}

int serve() {
  for (;;) {
    Request request;
    if (!read_request(request)) return 0;
    Reply reply;
    reply.header.sequence = request.header.sequence;
    guarded_call(reply, request);
    std::cout.flush();
    std::fflush(nullptr);
    send(reply);
  }
}

}  // namespace
}  // namespace moe::worker

int main() {
  return moe::worker::serve();
}
