// __syncthreads and its counted forms.
#include "kernels/base/check.hpp"
#include "kernels/simt/block.hpp"
#include "kernels/simt/checked/checker.hpp"

namespace moe::simt {

void Block::open_barrier() {
  if (barrier_.mixed) fail_divergent();
  const bool all = barrier_.yes == barrier_.arrived, any = barrier_.yes > 0;
  barrier_result_ = barrier_.op == Op::syncthreads_and  ? all
                    : barrier_.op == Op::syncthreads_or ? any
                                                        : static_cast<int>(barrier_.yes);
  barrier_ = {};
  if (checker_) checker_->passed_barrier();
}

// Hardware counts arrivals and does not ask where; CUDA demands the same barrier of all threads, and a kernel that
// breaks this works until the compiler moves code.
void Block::fail_divergent() const {
  const Thread* first = nullptr;
  for (const Thread& t : threads_) {
    if (t.state != Thread::State::at_barrier) continue;
    if (!first) first = &t;
    if (!same_place(t.op, t.where, first->op, first->where))
      fail(t.where, concat("divergent barriers in block ", describe(index_), ": thread ", describe(t.index),
                           " waits in ", name_of(t.op), " here, thread ", describe(first->index), " in ",
                           name_of(first->op), " at ", first->where.file_name(), ":", first->where.line()));
  }
  fail(barrier_.where, "divergent barriers");
}

}  // namespace moe::simt
