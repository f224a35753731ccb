// The parts of noisy top-k gating (Shazeer 2017, arXiv:1701.06538, section 4 and appendix A).
//
// clean (N, E) = x·Wg, spread (N, E) = x·Wn; the noise of a score has the deviation softplus(spread) = ln(1 + exp(spread)).
// A token is treated by itself. Cost: one pass; the noise is drawn again in the backward pass instead of kept.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"
#include "kernels/base/random.hpp"

namespace moe {

// score (N, E) = clean + ε·softplus(spread), eq. 4. ε ~ N(0, 1) belongs to (key, (first_token + n)·E + e).
struct NoiseShape {
  std::int64_t N, E;
  std::int64_t first_token = 0;
};
template <class T>
using NoisyScore = void(Context&, T* score, const T* clean, const T* spread, const RngKey& key,
                        const NoiseShape&);
// dspread = dscore·ε·sigmoid(spread); the gradient of clean is dscore itself.
template <class T>
using NoisyScoreBackward = void(Context&, T* dspread, const T* dscore, const T* spread, const RngKey& key,
                                const NoiseShape&);

// The probability that expert e would be among token n's K best if its noise were drawn again, eq. 9:
//   P (N, E) = Φ((clean - threshold) / softplus(spread)),  threshold: the K-th best score of the other experts.
// expert and score (N, M), M = min(K + 1, E): the M best noisy scores, best first. With K = E all P are 1. The deviation
// counts as 1e-6 where it is less.
struct LoadShape {
  std::int64_t N, E, K;
  std::int64_t M() const { return K < E ? K + 1 : E; }
};
template <class T>
using LoadProbability = void(Context&, T* P, const T* clean, const T* spread, const std::int32_t* expert,
                             const T* score, const LoadShape&);
// All three (N, E) are written; dscore is the gradient through the thresholds, zero but for two experts a token.
template <class T>
using LoadProbabilityBackward = void(Context&, T* dclean, T* dspread, T* dscore, const T* dP, const T* clean,
                                     const T* spread, const std::int32_t* expert, const T* score,
                                     const LoadShape&);

template <class T>
extern Operation<NoisyScore<T>> noisy_score;
template <class T>
extern Operation<NoisyScoreBackward<T>> noisy_score_backward;
template <class T>
extern Operation<LoadProbability<T>> load_probability;
template <class T>
extern Operation<LoadProbabilityBackward<T>> load_probability_backward;

}  // namespace moe
