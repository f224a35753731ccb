// __syncthreads and its counted forms.
#include "kernels/base/check.hpp"
#include "kernels/simt/block.hpp"

namespace moe::simt {
namespace {

bool same_place(const Thread& a, const Thread& b) {
  return a.op == b.op && a.where.line() == b.where.line() && a.where.file_name() == b.where.file_name();
}

}  // namespace

int Block::barrier(Op op, int predicate, Where where) {
  Thread& self = *here;
  self.op = op;
  self.where = where;
  self.value = predicate != 0;
  ++at_barrier_;
  wait(self, Thread::State::at_barrier);
  return static_cast<int>(self.value);
}

// Hardware counts arrivals and does not ask where; CUDA demands the same barrier of all threads, and a kernel that
// breaks this works until the compiler moves code.
void Block::require_one_barrier() const {
  const Thread* first = nullptr;
  for (const Thread& t : threads_) {
    if (t.state != Thread::State::at_barrier) continue;
    if (!first) first = &t;
    if (!same_place(t, *first))
      fail(t.where, concat("divergent barriers in block ", describe(index_), ": thread ", describe(t.index),
                           " waits in ", name_of(t.op), " here, thread ", describe(first->index), " in ",
                           name_of(first->op), " at ", first->where.file_name(), ":", first->where.line()));
  }
}

void Block::release_barrier() {
  require_one_barrier();
  unsigned count = 0;
  Op op = Op::syncthreads;
  for (const Thread& t : threads_)
    if (t.state == Thread::State::at_barrier) {
      count += t.value != 0;
      op = t.op;
    }
  const unsigned result = op == Op::syncthreads_and  ? count == at_barrier_
                          : op == Op::syncthreads_or ? count != 0
                                                     : count;
  for (Thread& t : threads_)
    if (t.state == Thread::State::at_barrier) {
      t.value = result;
      t.state = Thread::State::ready;
    }
  at_barrier_ = 0;
}

}  // namespace moe::simt
