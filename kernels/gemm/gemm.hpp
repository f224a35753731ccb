// General matrix multiply, row-major: C (M, N) = alpha * op(A) (M, K) * op(B) (K, N) + beta * C.
//
// Two entrances. `gemm` cuts C into tiles that depend on the shape only and shares them among threads. `gemm_tile`
// is one call on the calling thread, for fused kernels that do their own tiling inside parallel_for. Both are
// logged when ctx.gemm_log is set. Cost 2·M·N·K FLOPs. Supported: float (oneDNN, else Eigen), double (Eigen).
// With ctx.matrix_inputs bf16 the operands of float products are rounded to bf16 on their way in; sums stay f32.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

enum class Transpose : bool { no, yes };

struct GemmShape {
  std::int64_t M, N, K;
  Transpose a = Transpose::no;  // yes: A is stored (K, M)
  Transpose b = Transpose::no;  // yes: B is stored (N, K)
  std::int64_t lda, ldb, ldc;   // elements from one stored row to the next
  double alpha = 1, beta = 0;   // beta 0: C is written, never read (it may hold NaN)
};

// Densely stored operands: leading dimensions follow from the shape.
constexpr GemmShape gemm_shape(std::int64_t M, std::int64_t N, std::int64_t K, Transpose a = Transpose::no,
                               Transpose b = Transpose::no, double beta = 0) {
  return {M, N, K, a, b, a == Transpose::no ? K : M, b == Transpose::no ? N : K, N, 1.0, beta};
}

template <class T>
using Gemm = void(Context&, T* c, const T* a, const T* b, const GemmShape& shape);

template <class T>
extern Operation<Gemm<T>> gemm;

template <class T>
void gemm_tile(Context& ctx, T* c, const T* a, const T* b, const GemmShape& shape);

// "oneDNN 2.6.3" or "Eigen 3.4.0": what computes f32 tiles in this build.
const char* gemm_library();

}  // namespace moe
