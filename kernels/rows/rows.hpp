// Moving rows between token order and expert order: dispatch (gather), combine (weighted scatter) and their gradients.
//
// A row r of the expert order belongs to token[r] and, where token_offset/row_of list the rows of a token, to that list.
// Combine is written as a gather per token, so it needs no atomics and adds in one order.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct RowsShape {
  std::int64_t N;  // tokens
  std::int64_t A;  // bound on rows in expert order
  std::int64_t D;  // width
};

// Where each token's rows stand: row_of[token_offset[n] .. token_offset[n+1]], -1 for a dropped assignment.
struct TokenRows {
  const std::int32_t* token_offset;  // (N+1)
  const std::int32_t* row_of;        // (A)
};

// rows (A, D): rows[r] = x[token[r]]; rows with token -1 are left unwritten. x (N, D).
template <class T>
using GatherRows = void(Context&, T* rows, const T* x, const std::int32_t* token, const RowsShape& shape);

// dx (N, D): dx[n] = Σ drows[r] over the rows of token n; zeros where it has none.
template <class T>
using GatherRowsBackward = void(Context&, T* dx, const T* drows, const TokenRows& where,
                                const RowsShape& shape);

// y (N, D): y[n] = Σ weight[r]·rows[r] over the rows of token n; zeros where it has none. weight (A) in expert order.
template <class T>
using CombineRows = void(Context&, T* y, const T* rows, const T* weight, const TokenRows& where,
                         const RowsShape& shape);

// drows[r] = weight[r]·dy[token[r]] and dweight[r] = rows[r]·dy[token[r]]; rows with token -1 are left unwritten.
template <class T>
using CombineRowsBackward = void(Context&, T* drows, T* dweight, const T* dy, const T* rows, const T* weight,
                                 const std::int32_t* token, const RowsShape& shape);

template <class T>
extern Operation<GatherRows<T>> gather_rows;
template <class T>
extern Operation<GatherRowsBackward<T>> gather_rows_backward;
template <class T>
extern Operation<CombineRows<T>> combine_rows;
template <class T>
extern Operation<CombineRowsBackward<T>> combine_rows_backward;

// y (M): y[i] = x[index[i]], 0 where index is -1: weights between list order and expert order, either way.
template <class T>
using GatherScalars = void(Context&, T* y, const T* x, const std::int32_t* index, std::int64_t M);
template <class T>
extern Operation<GatherScalars<T>> gather_scalars;

}  // namespace moe
