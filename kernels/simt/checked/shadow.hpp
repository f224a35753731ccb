// What is remembered about a stretch of memory: which bytes have a value, and who touched each cell last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace moe::simt {

// One access to a cell. `block` counts the blocks that the process has run, from 1; 0 is no access.
struct Access {
  std::uint32_t block = 0;
  std::uint32_t thread : 10 = 0, epoch : 21 = 0, atomic : 1 = 0;  // epoch: barriers that the block has passed
  std::uint32_t clock = 0;  // of the lane; it advances at each __syncwarp
  std::int32_t site = 0;    // return address, as distance from site_base()

  bool same_moment(const Access& other) const { return block == other.block && epoch == other.epoch; }
  unsigned warp() const { return thread / 32; }
};
static_assert(sizeof(Access) == 16);

// The accesses that a later one must be compared with. A plain write outdates all before it. Of reads and atomics two by
// distinct threads are kept, from two warps if there are: any later writer differs from one of them. `before` is one by
// an earlier block. 64 bytes, a line of the cache.
struct Cell {
  Access write, use[2], before;
};

class Shadow {
 public:
  Shadow(const void* begin, std::size_t bytes)
      : begin_(reinterpret_cast<std::uintptr_t>(begin)), defined_(bytes, 0) {}

  std::uintptr_t begin() const { return begin_; }
  std::size_t bytes() const { return defined_.size(); }
  bool contains(std::uintptr_t address, std::size_t n) const {
    return address >= begin_ && n <= bytes() && address - begin_ <= bytes() - n;
  }

  // One flag a byte: 1 where it has a value.
  std::uint8_t* defined(std::uintptr_t address) { return defined_.data() + (address - begin_); }

  // The cells of n bytes at `address`: *count of them. Cells are 4 bytes wide until a smaller access comes.
  Cell* cells(std::uintptr_t address, std::size_t n, std::size_t* count) {
    const std::size_t offset = address - begin_;
    if (!cells_ || straddles(offset | n)) make_cells(offset | n);
    *count = n >> shift_;
    return &cells_[offset >> shift_];
  }

 private:
  bool straddles(std::size_t bits) const { return bits & ((std::size_t{1} << shift_) - 1); }
  void make_cells(std::size_t bits);

  struct Free {
    void operator()(Cell* cells) const { std::free(cells); }
  };
  std::uintptr_t begin_;
  std::vector<std::uint8_t> defined_;
  std::unique_ptr<Cell[], Free> cells_;  // none until the first access
  unsigned shift_ = 2;                   // a cell is 1 << shift_ bytes wide
};

}  // namespace moe::simt
