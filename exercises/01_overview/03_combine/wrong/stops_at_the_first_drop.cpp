// fails: Dropped
// break instead of continue: a token loses the choices after a dropped one.
#include <algorithm>

#include "contract.hpp"

void combine(float* y, const float* rows, const float* weight, const std::int32_t* row, std::int64_t N,
             std::int64_t K, std::int64_t /*A*/, std::int64_t D) {
  std::fill_n(y, N * D, 0.0f);
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t a = n * K + k;  // the weight stands in the list's order, its row in the experts'
      if (row[a] < 0) break;
      const float* from = rows + row[a] * D;
      for (std::int64_t d = 0; d < D; ++d) y[n * D + d] += weight[a] * from[d];
    }
}
