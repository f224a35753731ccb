#include "kernels/simt/checked/shadow.hpp"

#include <new>

namespace moe::simt {
namespace {

// Zero, and taken from the system only as it is touched.
Cell* fresh_cells(std::size_t count) {
  void* memory = std::calloc(count, sizeof(Cell));
  if (!memory) throw std::bad_alloc();
  return static_cast<Cell*>(memory);
}

}  // namespace

// Narrows the cells until none of these offsets and sizes cuts one; what was known of a cell is known of its halves.
void Shadow::make_cells(std::size_t bits) {
  for (; straddles(bits); --shift_) {
    if (!cells_) continue;
    const std::size_t count = (bytes() >> shift_) + 1;
    std::unique_ptr<Cell[], Free> halves(fresh_cells(2 * count));
    for (std::size_t i = 0; i < 2 * count; ++i) halves[i] = cells_[i / 2];
    cells_ = std::move(halves);
  }
  if (!cells_) cells_.reset(fresh_cells((bytes() >> shift_) + 1));
}

}  // namespace moe::simt
