// fails: LargeLogits LargeGradient
// exp of logits as they are: infinite above 88, and log(0) far below.
#include <cmath>

#include "contract.hpp"

namespace {

// log Σ exp of a row.
float logsumexp(const float* logit, std::int64_t E) {
  float sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += std::exp(logit[e]);
  return std::log(sum);
}

}  // namespace

float z_loss(const float* logit, float coefficient, std::int64_t N, std::int64_t E) {
  float squares = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    const float z = logsumexp(logit + n * E, E);
    squares += z * z;
  }
  return N == 0 ? 0 : coefficient * squares / static_cast<float>(N);
}

void z_loss_gradient(float* dlogit, const float* logit, float coefficient, std::int64_t N, std::int64_t E) {
  for (std::int64_t n = 0; n < N; ++n, logit += E, dlogit += E) {
    const float z = logsumexp(logit, E), scale = coefficient * 2 * z / static_cast<float>(N);
    // exp(logit - z) is the softmax: the derivative of logsumexp.
    for (std::int64_t e = 0; e < E; ++e) dlogit[e] += scale * std::exp(logit[e] - z);
  }
}
