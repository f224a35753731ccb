// fails: HandCase Dropped
// The first kept row overwrites, the others add: a token without rows is never written.
#include "contract.hpp"

void combine(float* y, const float* rows, const float* weight, const std::int32_t* row, std::int64_t N,
             std::int64_t K, std::int64_t /*A*/, std::int64_t D) {
  for (std::int64_t n = 0; n < N; ++n) {
    bool first = true;
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t a = n * K + k;  // the weight stands in the list's order, its row in the experts'
      if (row[a] < 0) continue;
      const float* from = rows + row[a] * D;
      for (std::int64_t d = 0; d < D; ++d) y[n * D + d] = (first ? 0 : y[n * D + d]) + weight[a] * from[d];
      first = false;
    }
  }
}
