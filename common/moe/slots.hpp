// What carries out a dense plan (soft MoE): products of each sequence's matrices, and slots between the order of sequences and
// that of experts.
#pragma once

#include "common/moe/routing.hpp"

namespace moe::ops {

// y (B·R, D) = for each of the B blocks weight (R, C) · x (C, D). weight (B·R, C), x (B·C, D). Zeros where C is 0.
Value mix_rows(ForwardContext& f, const Value& weight, const Value& x, std::int64_t B);

// (B·C, R) of (B·R, C): each of the B blocks turned over.
Value transposed_blocks(ForwardContext& f, const Value& x, std::int64_t B);

}  // namespace moe::ops

namespace moe {

// M slots a sequence, M/E an expert. Slots leave the first product as (B, E, M/E), and experts want (E, B, M/E).
struct SlotOrder {
  ops::RowMap by_expert, by_sequence;  // for gather_rows, there and back
  Tensor offset;                       // (E+1) i32: each expert owns B·M/E rows
  std::int64_t B = -1, E = 0, M = 0;

  SlotOrder() = default;
  SlotOrder(Context& ctx, std::int64_t sequences, std::int64_t experts, std::int64_t slots);
  bool fits(std::int64_t sequences, std::int64_t experts, std::int64_t slots) const {
    return B == sequences && E == experts && M == slots;
  }
};

}  // namespace moe
