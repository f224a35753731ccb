// fails: HandCase Dropped
// What was dropped is made up for: the kept weights of a token keep the token's sum.
#include <algorithm>

#include "contract.hpp"

void combine(float* y, const float* rows, const float* weight, const std::int32_t* row, std::int64_t N,
             std::int64_t K, std::int64_t /*A*/, std::int64_t D) {
  std::fill_n(y, N * D, 0.0f);
  for (std::int64_t n = 0; n < N; ++n) {
    float all = 0, kept = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      all += weight[n * K + k];
      if (row[n * K + k] >= 0) kept += weight[n * K + k];
    }
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t a = n * K + k;  // the weight stands in the list's order, its row in the experts'
      if (row[a] < 0) continue;
      const float* from = rows + row[a] * D;
      for (std::int64_t d = 0; d < D; ++d) y[n * D + d] += weight[a] * (all / kept) * from[d];
    }
  }
}
