// fails: InputByExperts InputByRouter OneChoice
// dx takes W where Wᵀ is due: the index of the matrix is turned around.
#include <algorithm>
#include <vector>

#include "contract.hpp"

void moe_backward(double* dx, double* dw_router, double* dw_expert, const double* dy, const double* x,
                  const double* w_router, const double* w_expert, const std::int32_t* expert,
                  const double* gate, std::int64_t N, std::int64_t D, std::int64_t O, std::int64_t E,
                  std::int64_t K) {
  std::fill_n(dx, N * D, 0.0);
  std::fill_n(dw_router, E * D, 0.0);
  std::fill_n(dw_expert, E * O * D, 0.0);
  std::vector<double> dgate(K);
  for (std::int64_t n = 0; n < N; ++n, dx += D, x += D, dy += O, expert += K, gate += K) {
    // y = sum over k of gate[k] * (w x), so dgate is the expert's output times dy; the rest carries the gate along.
    double mean = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      const double* w = w_expert + expert[k] * O * D;
      double* dw = dw_expert + expert[k] * O * D;
      dgate[k] = 0;
      for (std::int64_t o = 0; o < O; ++o)
        for (std::int64_t d = 0; d < D; ++d) {
          dgate[k] += dy[o] * w[o * D + d] * x[d];
          dw[o * D + d] += gate[k] * dy[o] * x[d];
          dx[d] += gate[k] * dy[o] * w[d * O + o];
        }
      mean += gate[k] * dgate[k];
    }
    // The softmax over the chosen: a logit gains only what its expert is better than the token's mean.
    for (std::int64_t k = 0; k < K; ++k) {
      const double dlogit = gate[k] * (dgate[k] - mean);
      for (std::int64_t d = 0; d < D; ++d) {
        dw_router[expert[k] * D + d] += dlogit * x[d];
        dx[d] += dlogit * w_router[expert[k] * D + d];
      }
    }
  }
}
