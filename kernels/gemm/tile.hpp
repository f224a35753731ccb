// One GEMM on the calling thread: what stands behind gemm and gemm_tile. Private to this folder.
#pragma once

#include "kernels/gemm/gemm.hpp"

#define MOE_TEXT_(x) #x
#define MOE_TEXT(x) MOE_TEXT_(x)
#define MOE_VERSION_TEXT(a, b, c) MOE_TEXT(a) "." MOE_TEXT(b) "." MOE_TEXT(c)

namespace moe::detail {

// The textbook: three loops. The meaning of GemmShape, for tests.
template <class T>
void tile_plain(T* c, const T* a, const T* b, const GemmShape& shape);

template <class T>
void tile_eigen(T* c, const T* a, const T* b, const GemmShape& shape);

const char* eigen_version();  // "Eigen 3.4.0"

#ifdef MOE_HAVE_ONEDNN
const char* onednn_version();  // "oneDNN 2.6.3"
void tile_onednn(float* c, const float* a, const float* b, const GemmShape& shape);
#endif

}  // namespace moe::detail
