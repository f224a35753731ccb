// fails: GradientAdds
// Writes over the gradients of other losses.
#include <algorithm>
#include <cmath>

#include "contract.hpp"

namespace {

// log Σ exp of a row. With the greatest logit taken out no exp is above 1, and one of them is 1.
float logsumexp(const float* logit, std::int64_t E) {
  const float greatest = *std::max_element(logit, logit + E);
  float sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += std::exp(logit[e] - greatest);
  return greatest + std::log(sum);
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
    for (std::int64_t e = 0; e < E; ++e) dlogit[e] = scale * std::exp(logit[e] - z);
  }
}
