// cuBLAS behind the gemm contract. It is loaded with the first product on a GPU, so that nothing else pays for its 0.1 s
// and 215 MB. Private to this folder.
#pragma once

#include <string>

#include "kernels/gemm/grouped_gemm.hpp"

namespace moe::detail {

// A row-major product as a library of column-major matrices has to be asked for it: what is stored by rows is the transpose
// to it, so it computes Cᵀ (M, N) = op(A)(M, K) · op(B)(K, N) of the *other* operands in the other order.
struct ColumnMajor {
  bool transpose_first, transpose_second;
  std::int64_t m, n, k, ld_first, ld_second, ld_c;
};
// first: our B; second: our A.
constexpr ColumnMajor column_major(const GemmShape& s) {
  return {s.b == Transpose::yes, s.a == Transpose::yes, s.N, s.M, s.K, s.ldb, s.lda, s.ldc};
}

#ifdef MOE_HAVE_CUBLAS
// f32 operands, sums and result, without TF32. Deterministic: one handle and one stream a context, no atomics.
void gemm_cublas(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s);

// The operands rounded to bf16 in scratch first, which costs 6 bytes a number; sums and result f32.
void gemm_cublas_bf16(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s);

// grouped_gemm.hpp. The lists of shapes stay on the host, those of addresses go to the device.
void grouped_gemm_cublas(Context& ctx, std::span<const GemmGroup> groups);

// "" when the library and all its functions that we use are there; else what is missing. Loads it; needs no GPU.
std::string why_no_cublas();
#endif

}  // namespace moe::detail
