// One GEMM on the calling thread: what stands behind gemm and gemm_tile. Private to this folder.
#pragma once

#include "kernels/gemm/gemm.hpp"

namespace moe::detail {

// The textbook: three loops. The meaning of GemmShape, for tests.
template <class T>
void tile_plain(T* c, const T* a, const T* b, const GemmShape& shape);

template <class T>
void tile_eigen(T* c, const T* a, const T* b, const GemmShape& shape);

#ifdef MOE_HAVE_ONEDNN
void tile_onednn(float* c, const float* a, const float* b, const GemmShape& shape);
#endif

}  // namespace moe::detail
