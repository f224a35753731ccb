// Dispatch of token choice in one operation: the plan (kernels/routing_plan) and the rows that it moves (kernels/rows).
//
// As an operation of its own the plan of a few thousand tokens would cost far more than its bytes (docs/performance.md).
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct DispatchShape {
  std::int64_t N;  // tokens
  std::int64_t K;  // choices of each
  std::int64_t D;  // width
  std::int64_t E;  // experts
};

// expert (N, K): the choices; those outside [0, E) are dropped. x (N, D).
//   offset (E+1): expert e owns rows offset[e] .. offset[e+1]; within it rows keep the order of the tokens
//   row (N·K): the row of each choice, -1 if dropped
//   rows (N·K, D): rows[r] = x[n] for every row r of token n; from offset[E] on they are left unwritten
// Cost: x read once, every row written once.
template <class T>
using DispatchRows = void(Context&, T* rows, std::int32_t* offset, std::int32_t* row, const T* x,
                          const std::int32_t* expert, const DispatchShape& shape);

template <class T>
extern Operation<DispatchRows<T>> dispatch_rows;

}  // namespace moe
