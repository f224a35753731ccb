// The rendezvous behind shuffles, votes and __syncwarp. Operations of disjoint masks may be under way in one warp at once.
#include <bit>

#include "kernels/base/check.hpp"
#include "kernels/simt/block.hpp"

namespace moe::simt {
namespace {

// All lanes of `mask` that have not ended wait with this very mask.
bool complete(const Warp& warp, unsigned mask) {
  const unsigned expected = mask & warp.live;
  if ((warp.waiting & expected) != expected) return false;
  for (unsigned left = expected; left; left &= left - 1)
    if (warp.lanes[std::countr_zero(left)].mask != mask) return false;  // busy in another operation
  return true;
}

// __syncwarp alone may be reached on several lines.
void require_one_operation(const Warp& warp, unsigned mask) {
  const Thread& first = warp.lanes[std::countr_zero(mask)];
  for (unsigned left = mask; left; left &= left - 1) {
    const Thread& t = warp.lanes[std::countr_zero(left)];
    if (t.op == first.op && (t.where.line() == first.where.line() || t.op == Op::syncwarp)) continue;
    fail(t.where,
         concat("block ", describe(t.block->index()), ": thread ", describe(t.index), " is in ",
                name_of(t.op), " here, thread ", describe(first.index), " of the same warp and mask in ",
                name_of(first.op), " at ", first.where.file_name(), ":", first.where.line()));
  }
}

void finish(Warp& warp, unsigned mask) {
  const unsigned arrived = mask & warp.live;
  require_one_operation(warp, arrived);
  warp.resolve[std::countr_zero(arrived)](warp, arrived);
  for (unsigned left = arrived; left; left &= left - 1)
    warp.lanes[std::countr_zero(left)].state = Thread::State::ready;
  warp.waiting &= ~arrived;
}

}  // namespace

bool arrive(Warp& warp, Thread& self) {
  const unsigned lane = self.lane;
  if (!(self.mask >> lane & 1))
    fail(self.where, concat(name_of(self.op), ": lane ", lane, " is not in its own mask, block ",
                            describe(self.block->index()), " thread ", describe(self.index)));
  warp.waiting |= 1u << lane;
  if (!complete(warp, self.mask)) return false;
  finish(warp, self.mask);
  return true;
}

void release_waiting_lanes(Warp& warp) {
  for (unsigned left = warp.waiting; left; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(std::countr_zero(left));
    if (warp.waiting >> lane & 1 && complete(warp, warp.lanes[lane].mask))
      finish(warp, warp.lanes[lane].mask);
  }
}

}  // namespace moe::simt
