// Two linear experts and a gate on a curve: the adaptive mixture of Jacobs, Jordan, Nowlan and Hinton (Neural Computation 3,
// 1991), small enough to see everything. f64, on the CPU.
//
//   o_i(x) = a_i·x + b_i,   p(x) = softmax(gate(x)),   both linear in (x, 1)
#pragma once

#include <vector>

#include "common/ops/ops.hpp"

namespace moe::session1 {

enum class MixtureLoss {
  cooperative,  // mean of (y - Σ p_i·o_i)² / 2σ²: only the blend must be right (the paper's equation 1.1)
  competitive  // mean of -log Σ p_i·exp(-(y - o_i)² / 2σ²): each expert must be right where it is trusted (1.3)
};

// Loss (1) from p and o (N, 2) and targets y (N); its node on the tape is written by hand. σ > 0.
Value mixture_loss(ForwardContext& f, const Value& p, const Value& o, const Tensor& y, MixtureLoss kind,
                   double sigma);

struct Curve2d {
  std::vector<double> x, y;
};
// `points` of y = 1 - 2x² on [-1, 1], x evenly spaced, with Gaussian noise of deviation `noise`.
Curve2d parabola(std::int64_t points, double noise, std::uint64_t seed);

struct MixtureState {
  std::int64_t step = 0;
  std::vector<double> gate;       // p_1 at every x
  std::vector<double> output[2];  // of each expert
  double blend_error = 0;         // rms of y - Σ p_i·o_i
  double chosen_error =
      0;                   // rms of y - o_i, i the expert with the larger gate: what a sparse model would say
  double information = 0;  // of x about the expert, in nats: 0 when the gate does not look, at most ln 2
};

struct MixtureSettings {
  MixtureLoss loss = MixtureLoss::competitive;
  std::int64_t steps = 600, states = 60;  // states: how many are kept, evenly spread, besides the first
  double learning_rate = 0.03, sigma = 0.5;
  std::uint64_t seed = 1;
};
// AdamW without decay on the whole curve at once.
std::vector<MixtureState> train_mixture(const Curve2d& data, const MixtureSettings& settings);

}  // namespace moe::session1
