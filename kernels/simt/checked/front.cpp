// What checked kernels call; see front.hpp.
#define MOE_CHECKED_BACKEND
#include "kernels/simt/front.hpp"

namespace moe::simt::checked {

dim3 thread_index() {
  return here->index;
}
dim3 block_index() {
  return here->block->index();
}
dim3 block_shape() {
  return here->block->launch().block;
}
dim3 grid_shape() {
  return here->block->launch().grid;
}
unsigned lane_index() {
  return here->lane;
}
std::byte* dynamic_shared() {
  return here->block->shared();
}
int barrier(Op op, int predicate, Where where) {
  return here->block->barrier(op, predicate, where);
}
std::uint64_t exchange(unsigned mask, Op op, std::uint64_t value, unsigned source, Warp::Resolve resolve,
                       Where where) {
  return meet(mask, op, value, source, resolve, where);
}

}  // namespace moe::simt::checked
