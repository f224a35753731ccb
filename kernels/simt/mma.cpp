#include "kernels/simt/mma.hpp"

#include <vector>

#include "kernels/base/bf16.hpp"
#include "kernels/base/check.hpp"
#include "kernels/simt/checked/checker.hpp"

namespace moe::simt {
namespace {

constexpr unsigned kNoLane = ~0u;  // a register of a lane that has ended: two NaNs

// What lane `lane` brought, or null.
template <class T>
T* brought(const Warp& warp, unsigned mask, unsigned lane) {
  return mask >> lane & 1 ? reinterpret_cast<T*>(warp.lanes[lane].value) : nullptr;
}

// The halves of a register.
float low(unsigned pair) {
  return to_float({static_cast<std::uint16_t>(pair)});
}
float high(unsigned pair) {
  return to_float({static_cast<std::uint16_t>(pair >> 16)});
}

struct Product {
  float a[16][16], b[16][8], c[16][8];
};

void gather(Product& p, unsigned lane, const twin::MmaLane* from) {
  const unsigned g = lane / 4, t = lane % 4;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = g + i % 2 * 8, column = 2 * t + i / 2 * 8, pair = from ? from->a[i] : kNoLane;
    p.a[row][column] = low(pair);
    p.a[row][column + 1] = high(pair);
  }
  for (unsigned i = 0; i < 2; ++i) {
    const unsigned k = 2 * t + i * 8, pair = from ? from->b[i] : kNoLane;
    p.b[k][g] = low(pair);
    p.b[k + 1][g] = high(pair);
  }
  for (unsigned i = 0; i < 4; ++i) p.c[g + i / 2 * 8][2 * t + i % 2] = from ? from->c[i] : 0;
}

// Eight columns at a time, which the compiler makes one vector.
void multiply(Product& p) {
  for (int m = 0; m < 16; ++m) {
    float sum[8];
    for (int n = 0; n < 8; ++n) sum[n] = p.c[m][n];
    for (int k = 0; k < 16; ++k)
      for (int n = 0; n < 8; ++n) sum[n] += p.a[m][k] * p.b[k][n];
    for (int n = 0; n < 8; ++n) p.c[m][n] = sum[n];
  }
}

// Copies under way of one thread, in the order of their issue.
struct Copies {
  struct Entry {
    twin::AsyncCopy copy;
    unsigned group;  // counted from the thread's first
  };
  std::vector<Entry> queue;
  std::size_t delivered = 0;  // from the front
  unsigned groups = 0;        // ended
};
// Of the threads of the block that this thread of the operating system runs. Kept from block to block for their memory.
thread_local std::vector<Copies> copies;
thread_local bool any_copies = false;

Copies& copies_of_thread() {
  const dim3 shape = here->block->launch().block, at = here->index;
  const std::size_t i = at.x + shape.x * (at.y + std::size_t{shape.y} * at.z);
  if (i >= copies.size()) copies.resize(shape.count());
  any_copies = true;
  return copies[i];
}

void stop_here(Where where, const std::string& what) {
  Thread& self = *here;
  self.block->stop(
      where, concat(what, " in block ", describe(self.block->index()), ", thread ", describe(self.index)));
  self.block->wait(self, Thread::State::in_warp);
}

void check_aligned(const void* address, std::uintptr_t bytes, const char* what, Where where) {
  if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0)
    stop_here(where, concat(what, " an address that is no multiple of ", bytes));
}

bool take_oldest(unsigned pending, twin::AsyncCopy& copy) {
  Copies& mine = copies_of_thread();
  if (mine.delivered == mine.queue.size()) {
    mine.queue.clear();
    mine.delivered = 0;
    return false;
  }
  const Copies::Entry& oldest = mine.queue[mine.delivered];
  if (oldest.group + pending >= mine.groups) return false;
  copy = oldest.copy;
  ++mine.delivered;
  return true;
}

}  // namespace

void forget_async_copies() {
  if (!any_copies) return;
  for (Copies& each : copies) {
    each.queue.clear();
    each.delivered = each.groups = 0;
  }
  any_copies = false;
}

namespace twin {

void resolve_mma(Warp& warp, unsigned mask) {
  Product p;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) gather(p, lane, brought<const MmaLane>(warp, mask, lane));
  multiply(p);
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (const MmaLane* to = brought<const MmaLane>(warp, mask, lane))
      for (unsigned i = 0; i < 4; ++i) to->c[i] = p.c[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
}

void resolve_ldmatrix(Warp& warp, unsigned mask) {
  std::uint16_t matrix[4][8][8];
  std::memset(matrix, 0xff, sizeof matrix);
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (const auto* from = brought<const MatrixLane>(warp, mask, lane))
      if (static_cast<int>(lane) < 8 * from->count)
        std::memcpy(matrix[lane / 8][lane % 8], from->row, sizeof from->row);
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    const auto* to = brought<const MatrixLane>(warp, mask, lane);
    const unsigned g = lane / 4, t = 2 * (lane % 4);
    for (int i = 0; to && i < to->count; ++i) {
      const auto& m = matrix[i];
      const unsigned first = to->transposed ? m[t][g] : m[g][t],
                     second = to->transposed ? m[t + 1][g] : m[g][t + 1];
      to->result[i] = first | second << 16;
    }
  }
}

void begin_copy(const AsyncCopy& copy, Where where) {
  const auto bytes = static_cast<std::uintptr_t>(copy.bytes);
  check_aligned(copy.to, bytes, "cp.async to", where);
  check_aligned(copy.from, bytes, "cp.async from", where);
  if (copy.valid < 0 || copy.valid > copy.bytes)
    stop_here(where, concat("cp.async of ", copy.valid, " of ", copy.bytes, " bytes"));
  Copies& mine = copies_of_thread();
  mine.queue.push_back({copy, mine.groups});
}

void take_value(const void* memory, std::size_t bytes) {
  if (Checker* checker = here->block->checker())
    checker->take_value(reinterpret_cast<std::uintptr_t>(memory), bytes);
}

void end_group() {
  ++copies_of_thread().groups;
}

// Between `true` and `false` the caller copies.
bool next_copy(unsigned pending, AsyncCopy& copy) {
  const bool there = take_oldest(pending, copy);
  if (Checker* checker = here->block->checker()) checker->count_traffic(!there);
  return there;
}

bool names_row(int count, const void* row, Where where) {
  if (here->lane >= 8 * count) return false;  // the addresses of other lanes are not looked at
  check_aligned(row, sizeof MatrixLane::row, "ldmatrix of", where);
  return true;
}

}  // namespace twin
}  // namespace moe::simt
