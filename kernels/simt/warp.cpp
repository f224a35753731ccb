// The rendezvous behind shuffles, votes and __syncwarp. Operations of disjoint masks may be under way in one warp at once.
#include <bit>

#include "kernels/base/check.hpp"
#include "kernels/simt/block.hpp"
#include "kernels/simt/checked/checker.hpp"

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

// A lane in another operation than the first, or null. __syncwarp alone may be reached on several lines.
const Thread* odd_one(const Warp& warp, unsigned mask) {
  const Thread& first = warp.lanes[std::countr_zero(mask)];
  for (unsigned left = mask; left; left &= left - 1) {
    const Thread& t = warp.lanes[std::countr_zero(left)];
    if (t.op != first.op || (t.where.line() != first.where.line() && t.op != Op::syncwarp)) return &t;
  }
  return nullptr;
}

void stop_at(const Thread& odd, const Thread& first) {
  odd.block->stop(odd.where, concat("block ", describe(odd.block->index()), ": thread ", describe(odd.index),
                                    " is in ", name_of(odd.op), " here, thread ", describe(first.index),
                                    " of the same warp and mask in ", name_of(first.op), " at ",
                                    first.where.file_name(), ":", first.where.line()));
}

// False: the lanes do not belong together.
bool finish(Warp& warp, unsigned mask) {
  const unsigned arrived = mask & warp.live;
  const Thread& first = warp.lanes[std::countr_zero(arrived)];
  if (const Thread* odd = odd_one(warp, arrived)) {
    stop_at(*odd, first);
    return false;
  }
  warp.resolve[first.lane](warp, arrived);
  if (first.block->stopped()) return false;
  if (Checker* checker = first.block->checker()) checker->passed_warp_operation(warp, arrived, first.op);
  for (unsigned left = arrived; left; left &= left - 1)
    warp.lanes[std::countr_zero(left)].state = Thread::State::ready;
  warp.waiting &= ~arrived;
  return true;
}

}  // namespace

bool arrive(Warp& warp, Thread& self) {
  const unsigned lane = self.lane;
  if (!(self.mask >> lane & 1)) {
    self.block->stop(self.where, concat(name_of(self.op), ": lane ", lane, " is not in its own mask, block ",
                                        describe(self.block->index()), " thread ", describe(self.index)));
    return false;
  }
  warp.waiting |= 1u << lane;
  return complete(warp, self.mask) && finish(warp, self.mask);
}

void stop_for_absent_lane(const Thread& t) {
  t.block->stop(t.where, concat(name_of(t.op), ": block ", describe(t.block->index()), " thread ",
                                describe(t.index), " reads lane ", t.source,
                                ", which takes no part: it ended, or is not in mask 0x", std::hex, t.mask));
}

void release_waiting_lanes(Warp& warp) {
  for (unsigned left = warp.waiting; left; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(std::countr_zero(left));
    const unsigned mask = warp.lanes[lane].mask;
    if (warp.waiting >> lane & 1 && complete(warp, mask) && !finish(warp, mask)) return;
  }
}

}  // namespace moe::simt
