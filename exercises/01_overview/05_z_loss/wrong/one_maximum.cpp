// fails: LargeLogits LargeGradient
// One greatest logit for the whole batch: rows far below it vanish.
#include <algorithm>
#include <cmath>

#include "contract.hpp"

namespace {

// log Σ exp of a row. The greatest logit of all rows is taken out.
float logsumexp(const float* logit, float greatest, std::int64_t E) {
  float sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += std::exp(logit[e] - greatest);
  return greatest + std::log(sum);
}

}  // namespace

float z_loss(const float* logit, float coefficient, std::int64_t N, std::int64_t E) {
  if (N == 0) return 0;
  const float greatest = *std::max_element(logit, logit + N * E);
  float squares = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    const float z = logsumexp(logit + n * E, greatest, E);
    squares += z * z;
  }
  return coefficient * squares / static_cast<float>(N);
}

void z_loss_gradient(float* dlogit, const float* logit, float coefficient, std::int64_t N, std::int64_t E) {
  if (N == 0) return;
  const float greatest = *std::max_element(logit, logit + N * E);
  for (std::int64_t n = 0; n < N; ++n, logit += E, dlogit += E) {
    const float z = logsumexp(logit, greatest, E), scale = coefficient * 2 * z / static_cast<float>(N);
    // exp(logit - z) is the softmax: the derivative of logsumexp.
    for (std::int64_t e = 0; e < E; ++e) dlogit[e] += scale * std::exp(logit[e] - z);
  }
}
