// What is said when a kernel goes wrong.
#include <sstream>

#include "kernels/base/check.hpp"
#include "kernels/simt/block.hpp"

namespace moe::simt {
namespace {

bool wait_alike(const Thread& a, const Thread& b) {
  return a.state == b.state && (a.state == Thread::State::done ||
                                (a.op == b.op && a.mask == b.mask && a.where.line() == b.where.line()));
}

// "  threads (0, 0, 0) to (15, 0, 0) wait in __syncthreads at file:line"
void print_group(std::ostream& out, const Thread& first, const Thread& last) {
  out << "\n  " << (&first == &last ? "thread " : "threads ") << describe(first.index);
  if (&first != &last) out << " to " << describe(last.index);
  if (first.state == Thread::State::done) {
    out << " ended";
    return;
  }
  out << (&first == &last ? " waits in " : " wait in ") << name_of(first.op);
  if (first.state == Thread::State::in_warp) out << " with mask 0x" << std::hex << first.mask << std::dec;
  out << " at " << first.where.file_name() << ":" << first.where.line();
}

}  // namespace

const char* name_of(Op op) {
  constexpr const char* kNames[] = {
      "__syncthreads",     "__syncthreads_count", "__syncthreads_and", "__syncthreads_or",
      "__syncwarp",        "__shfl_sync",         "__shfl_up_sync",    "__shfl_down_sync",
      "__shfl_xor_sync",   "__ballot_sync",       "__any_sync",        "__all_sync",
      "__reduce_add_sync", "__reduce_min_sync",   "__reduce_max_sync", "mma.sync",
      "ldmatrix",
  };
  return kNames[static_cast<std::size_t>(op)];
}

std::string describe(dim3 index) {
  return concat("(", index.x, ", ", index.y, ", ", index.z, ")");
}

std::string message(Where where, const std::string& what) {
  return concat(where.file_name(), ":", where.line(), ": ", what);
}

void fail(Where where, const std::string& what) {
  throw Error(message(where, what));
}

void Block::fail_deadlock() const {
  std::ostringstream out;
  const Thread* waiting = nullptr;
  for (std::size_t begin = 0, end; begin < threads_.size(); begin = end) {
    end = begin + 1;
    while (end < threads_.size() && wait_alike(threads_[begin], threads_[end])) ++end;
    print_group(out, threads_[begin], threads_[end - 1]);
    if (!waiting && threads_[begin].state != Thread::State::done) waiting = &threads_[begin];
  }
  fail(waiting->where, concat("deadlock in block ", describe(index_), out.str()));
}

}  // namespace moe::simt
