// Causal self-attention as its definition reads, in double.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/ops/ops.hpp"

namespace moe::testing {

// The definition, one (sequence, head, query) at a time: rotate, score, softmax, average.
inline std::vector<double> attention_oracle(const std::vector<double>& qkv,
                                            const std::vector<std::int32_t>& position,
                                            const ops::SelfAttention& s) {
  const std::int64_t ld = (s.H + 2 * s.G) * s.W, half = s.W / 2;
  const auto rotated = [&](std::int64_t row, std::int64_t head, std::int64_t w) {
    const double* x = qkv.data() + row * ld + head * s.W;
    const double angle = position[row] * std::pow(s.rope_theta, -2.0 * static_cast<double>(w % half) /
                                                                    static_cast<double>(s.W));
    return w < half ? x[w] * std::cos(angle) - x[w + half] * std::sin(angle)
                    : x[w] * std::cos(angle) + x[w - half] * std::sin(angle);
  };
  std::vector<double> out(static_cast<std::size_t>(s.B * s.T * s.H * s.W));
  for (std::int64_t b = 0; b < s.B; ++b)
    for (std::int64_t h = 0; h < s.H; ++h)
      for (std::int64_t t = 0; t < s.T; ++t) {
        const std::int64_t row = b * s.T + t, kv_head = h * s.G / s.H;
        std::vector<double> weight;
        for (std::int64_t u = 0; u <= t; ++u) {
          double score = 0;
          for (std::int64_t w = 0; w < s.W; ++w)
            score += rotated(row, h, w) * rotated(b * s.T + u, s.H + kv_head, w);
          weight.push_back(std::exp(score / std::sqrt(static_cast<double>(s.W))));
        }
        const double sum = std::accumulate(weight.begin(), weight.end(), 0.0);
        for (std::int64_t w = 0; w < s.W; ++w)
          for (std::int64_t u = 0; u <= t; ++u)
            out[row * s.H * s.W + h * s.W + w] +=
                weight[u] / sum * qkv[(b * s.T + u) * ld + (s.H + s.G + kv_head) * s.W + w];
      }
  return out;
}

}  // namespace moe::testing
