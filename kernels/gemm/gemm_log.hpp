// GemmLog: records every GEMM tile a piece of work executes, and replays them alone, on the same operands and
// the same threads. It is the yardstick of `moe bench`: fraction_of_gemm = replayed time / time of the work.
#pragma once

#include <vector>

#include "kernels/base/dtype.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe {

class GemmLog {
 public:
  explicit GemmLog(int threads) : calls_(static_cast<std::size_t>(threads)) {}
  void clear();
  void record(int worker, DType dtype, void* c, const void* a, const void* b, const GemmShape& shape);

  // Runs every recorded call once, handed out to the context's threads one at a time and without barriers between them: no
  // schedule of the same calls is much faster. Outputs are overwritten with whatever the products are now. The operands'
  // memory must still be owned by the context's allocator.
  void replay(Context& ctx) const;

  double flops() const;
  std::size_t size() const;

 private:
  struct Call {
    DType dtype;
    void* c;
    const void *a, *b;
    GemmShape shape;
  };
  std::vector<std::vector<Call>> calls_;  // one list a worker
};

}  // namespace moe
