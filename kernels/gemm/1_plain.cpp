#include "kernels/gemm/tile.hpp"

namespace moe::detail {

template <class T>
void tile_plain(T* c, const T* a, const T* b, const GemmShape& s) {
  for (std::int64_t m = 0; m < s.M; ++m)
    for (std::int64_t n = 0; n < s.N; ++n) {
      T sum = 0;
      for (std::int64_t k = 0; k < s.K; ++k) {
        const T x = s.a == Transpose::no ? a[m * s.lda + k] : a[k * s.lda + m];
        const T y = s.b == Transpose::no ? b[k * s.ldb + n] : b[n * s.ldb + k];
        sum += x * y;
      }
      T& out = c[m * s.ldc + n];
      out = static_cast<T>(s.alpha) * sum + (s.beta == 0 ? T(0) : static_cast<T>(s.beta) * out);
    }
}

template void tile_plain(float*, const float*, const float*, const GemmShape&);
template void tile_plain(double*, const double*, const double*, const GemmShape&);

}  // namespace moe::detail
