// Moving rows between token order and expert order: dispatch (gather), combine (weighted scatter) and their gradients.
//
// All four walk the tokens: a token's row is read or written once, the rows of its assignments stand where the plan put
// them. So a combine needs no atomics and adds in one order, and weights stay where the router wrote them.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.hpp"
#include "kernels/base/operation.hpp"

namespace moe {

struct RowsShape {
  std::int64_t N;  // tokens
  std::int64_t A;  // assignments; no more rows than that in expert order
  std::int64_t D;  // width
};

// The assignments of each token: n's are begin(n) .. begin(n + 1), and assignment i went to row[i].
struct TokenRows {
  const std::int32_t* row;                     // (A): a row of the expert order, -1: dropped
  std::int64_t per_token;                      // K where every token has as many, or 0:
  const std::int32_t* token_offset = nullptr;  // (N+1), where the assignments of each token begin
  const std::int32_t* element = nullptr;  // (A): where in the router's list assignment i stands; null: at i

  MOE_HOST_DEVICE std::int64_t begin(std::int64_t n) const {
    return per_token > 0 ? n * per_token : token_offset[n];
  }
  MOE_HOST_DEVICE std::int64_t place(std::int64_t i) const { return element ? element[i] : i; }
};

// rows (A, D): rows[r] = x[n] for every row r of token n; rows of nobody are left unwritten. x (N, D).
template <class T>
using GatherRows = void(Context&, T* rows, const T* x, const TokenRows& where, const RowsShape& shape);

// dx (N, D): dx[n] = Σ drows[r] over the rows of token n; zeros where it has none.
template <class T>
using GatherRowsBackward = void(Context&, T* dx, const T* drows, const TokenRows& where,
                                const RowsShape& shape);

// y (N, D): y[n] = Σ weight·rows[r] over the rows of token n; zeros where it has none. weight (A) in the order of the list.
template <class T>
using CombineRows = void(Context&, T* y, const T* rows, const T* weight, const TokenRows& where,
                         const RowsShape& shape);

// drows[r] = weight·dy[n] and dweight = rows[r]·dy[n] of every row r of token n; dweight (A), in the order of the list, is 0 for
// dropped assignments, and rows of nobody are left unwritten.
template <class T>
using CombineRowsBackward = void(Context&, T* drows, T* dweight, const T* dy, const T* rows, const T* weight,
                                 const TokenRows& where, const RowsShape& shape);

template <class T>
extern Operation<GatherRows<T>> gather_rows;
template <class T>
extern Operation<GatherRowsBackward<T>> gather_rows_backward;
template <class T>
extern Operation<CombineRows<T>> combine_rows;
template <class T>
extern Operation<CombineRowsBackward<T>> combine_rows_backward;

}  // namespace moe
