// A Mixture-of-Experts layer as one would write it on paper: token by token, in double, forward and backward by hand.
// Shares no code with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace moe::testing {

struct OracleLayer {
  std::int64_t N, D, F, E, K;
  bool renormalise = true;
  std::int64_t capacity = -1;   // assignments an expert takes; -1: all
  std::vector<double> router;   // (E, D)
  std::vector<double> gate_up;  // (E, 2F, D)
  std::vector<double> down;     // (E, D, F)
  double balance = 0, z = 0;    // coefficients
};

struct OracleResult {
  std::vector<double> y, dx, drouter, dgate_up, ddown, probability, weight;
  std::vector<std::int32_t> expert;        // (N, K), before capacity
  std::vector<std::int32_t> kept;          // (N, K), -1 where dropped
  std::vector<std::int32_t> choice, load;  // (E) before and after capacity
  double balance_loss = 0, z_loss = 0;
};

// Experts by falling score; the lower expert first among equals.
inline std::vector<std::int32_t> best_experts(const double* p, std::int64_t E, std::int64_t K) {
  std::vector<std::int32_t> order;
  for (std::int32_t e = 0; e < E; ++e) order.push_back(e);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return p[a] > p[b]; });
  order.resize(static_cast<std::size_t>(K));
  return order;
}

class Oracle {
 public:
  // dy (N, D): the gradient that arrives at y.
  static OracleResult run(const OracleLayer& layer, const std::vector<double>& x,
                          const std::vector<double>& dy) {
    Oracle o{layer, x, dy};
    o.route();
    o.experts();
    o.router_backward();
    return o.r_;
  }

 private:
  Oracle(const OracleLayer& layer, const std::vector<double>& x, const std::vector<double>& dy)
      : l_(layer), x_(x), dy_(dy) {
    const auto zeros = [](std::int64_t n) { return std::vector<double>(static_cast<std::size_t>(n)); };
    r_.y = r_.dx = zeros(l_.N * l_.D);
    r_.drouter = zeros(l_.E * l_.D);
    r_.dgate_up = zeros(l_.E * 2 * l_.F * l_.D);
    r_.ddown = zeros(l_.E * l_.D * l_.F);
    r_.probability = dp_ = zeros(l_.N * l_.E);
    r_.choice = r_.load = std::vector<std::int32_t>(static_cast<std::size_t>(l_.E));
    lse_ = zeros(l_.N);
  }

  void route() {
    for (std::int64_t n = 0; n < l_.N; ++n) {
      double* p = r_.probability.data() + n * l_.E;
      double sum = 0;
      for (std::int64_t e = 0; e < l_.E; ++e) {
        for (std::int64_t d = 0; d < l_.D; ++d) p[e] += l_.router[e * l_.D + d] * x_[n * l_.D + d];
        sum += p[e] = std::exp(p[e]);
      }
      for (std::int64_t e = 0; e < l_.E; ++e) p[e] /= sum;
      lse_[n] = std::log(sum);
      r_.z_loss += lse_[n] * lse_[n] / static_cast<double>(l_.N);
      const auto chosen = best_experts(p, l_.E, l_.K);
      double together = 0;
      for (const int e : chosen) together += p[e];
      for (const int e : chosen) {
        r_.weight.push_back(l_.renormalise ? p[e] / together : p[e]);
        r_.expert.push_back(e);
        ++r_.choice[e];
        const bool fits = l_.capacity < 0 || r_.load[e] < l_.capacity;
        r_.kept.push_back(fits ? e : -1);
        r_.load[e] += fits;
      }
    }
    for (std::int64_t e = 0; e < l_.E; ++e)
      for (std::int64_t n = 0; n < l_.N; ++n)
        r_.balance_loss += static_cast<double>(l_.E) * r_.choice[e] / static_cast<double>(l_.N * l_.K) *
                           r_.probability[n * l_.E + e] / static_cast<double>(l_.N);
  }

  void experts() {
    for (std::int64_t i = 0; i < l_.N * l_.K; ++i) {
      const double dw = r_.kept[i] < 0 ? 0 : one_assignment(i / l_.K, r_.kept[i], r_.weight[i]);
      weight_backward(i / l_.K, i, dw);
    }
  }

  // Adds weight·expert(x) to y and all gradients through the expert; returns the gradient of the weight.
  double one_assignment(std::int64_t n, std::int64_t e, double weight) {
    const double *x = x_.data() + n * l_.D, *dy = dy_.data() + n * l_.D;
    const std::int64_t gate = e * 2 * l_.F, up = gate + l_.F;
    double dweight = 0;
    std::vector<double> out(static_cast<std::size_t>(l_.D));
    for (std::int64_t f = 0; f < l_.F; ++f) {
      double h = 0, u = 0, da = 0;
      for (std::int64_t d = 0; d < l_.D; ++d) {
        h += l_.gate_up[(gate + f) * l_.D + d] * x[d];
        u += l_.gate_up[(up + f) * l_.D + d] * x[d];
        da += weight * l_.down[(e * l_.D + d) * l_.F + f] * dy[d];
      }
      const double s = 1 / (1 + std::exp(-h)), a = h * s * u;
      const double dh = da * u * s * (1 + h * (1 - s)), du = da * h * s;
      for (std::int64_t d = 0; d < l_.D; ++d) {
        out[d] += l_.down[(e * l_.D + d) * l_.F + f] * a;
        r_.ddown[(e * l_.D + d) * l_.F + f] += weight * dy[d] * a;
        r_.dgate_up[(gate + f) * l_.D + d] += dh * x[d];
        r_.dgate_up[(up + f) * l_.D + d] += du * x[d];
        r_.dx[n * l_.D + d] += dh * l_.gate_up[(gate + f) * l_.D + d] + du * l_.gate_up[(up + f) * l_.D + d];
      }
    }
    for (std::int64_t d = 0; d < l_.D; ++d) {
      r_.y[n * l_.D + d] += weight * out[d];
      dweight += out[d] * dy[d];
    }
    return dweight;
  }

  // Through w = p, or w_i = p_i / Σ p of the chosen.
  void weight_backward(std::int64_t n, std::int64_t i, double dw) {
    const double* p = r_.probability.data() + n * l_.E;
    double* dp = dp_.data() + n * l_.E;
    if (!l_.renormalise) {
      dp[r_.expert[i]] += dw;
      return;
    }
    double together = 0;
    for (std::int64_t k = 0; k < l_.K; ++k) together += p[r_.expert[n * l_.K + k]];
    dp[r_.expert[i]] += dw / together;
    for (std::int64_t k = 0; k < l_.K; ++k)
      dp[r_.expert[n * l_.K + k]] -= dw * p[r_.expert[i]] / (together * together);
  }

  void router_backward() {
    for (std::int64_t n = 0; n < l_.N; ++n) {
      const double* p = r_.probability.data() + n * l_.E;
      double* dp = dp_.data() + n * l_.E;
      double mean = 0;
      for (std::int64_t e = 0; e < l_.E; ++e) {
        dp[e] += l_.balance * static_cast<double>(l_.E) * r_.choice[e] / static_cast<double>(l_.N * l_.K) /
                 static_cast<double>(l_.N);
        mean += dp[e] * p[e];
      }
      for (std::int64_t e = 0; e < l_.E; ++e) {
        const double ds = p[e] * (dp[e] - mean) + l_.z * 2 * lse_[n] / static_cast<double>(l_.N) * p[e];
        for (std::int64_t d = 0; d < l_.D; ++d) {
          r_.drouter[e * l_.D + d] += ds * x_[n * l_.D + d];
          r_.dx[n * l_.D + d] += ds * l_.router[e * l_.D + d];
        }
      }
    }
  }

  const OracleLayer& l_;
  const std::vector<double>&x_, &dy_;
  OracleResult r_;
  std::vector<double> dp_, lse_;
};

}  // namespace moe::testing
