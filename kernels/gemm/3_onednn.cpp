// oneDNN's sgemm: 1.6 times Eigen's rate on one core, with no set-up cost a call (its matmul primitive costs 0.5 ms for
// every new row count, more than the GEMM), and the same entrance in oneDNN 2 and 3.
#ifdef MOE_HAVE_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include "kernels/gemm/tile.hpp"

namespace moe::detail {
namespace {

// oneDNN would start OpenMP threads of its own, and its partition of the work would depend on their number.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }

 private:
  int before_;
};

}  // namespace

const char* onednn_version() {
  return "oneDNN " MOE_VERSION_TEXT(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
}

void tile_onednn(float* c, const float* a, const float* b, const GemmShape& s) {
  if (s.K == 0) return tile_plain(c, a, b, s);  // defined by us: C = beta·C
  const OneThread one;
  const dnnl_status_t status =
      dnnl_sgemm(s.a == Transpose::yes ? 'T' : 'N', s.b == Transpose::yes ? 'T' : 'N', s.M, s.N, s.K,
                 static_cast<float>(s.alpha), a, s.lda, b, s.ldb, static_cast<float>(s.beta), c, s.ldc);
  MOE_CHECK(status == dnnl_success, "dnnl_sgemm returned ", static_cast<int>(status));
}

}  // namespace moe::detail
#endif
