#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/noisy_gate/row.hpp"
#include "kernels/noisy_gate/versions.hpp"

namespace moe {
namespace {

// Work for the cut into chunks: a normal number costs about as much as moving 64 bytes.
constexpr std::int64_t kNoiseBytes = 64;

template <class T>
void noisy_score_plain(Context& ctx, T* score, const T* clean, const T* spread, const RngKey& key,
                       const NoiseShape& s) {
  account(ctx, 3.0 * sizeof(T) * s.N * s.E);
  parallel_for(ctx, s.N * s.E, row_grain(kNoiseBytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      score[i] = clean[i] + detail::noise<T>(key, s, i) * detail::softplus(spread[i]);
  });
}

template <class T>
void noisy_score_backward_plain(Context& ctx, T* dspread, const T* dscore, const T* spread, const RngKey& key,
                                const NoiseShape& s) {
  account(ctx, 3.0 * sizeof(T) * s.N * s.E);
  parallel_for(ctx, s.N * s.E, row_grain(kNoiseBytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      dspread[i] = dscore[i] * detail::noise<T>(key, s, i) * detail::softplus_slope(spread[i]);
  });
}

template <class T>
void load_probability_plain(Context& ctx, T* P, const T* clean, const T* spread, const std::int32_t* expert,
                            const T* score, const LoadShape& s) {
  account(ctx, s.N * (3.0 * sizeof(T) * s.E + (sizeof(T) + 4.0) * s.M()));
  parallel_for(ctx, s.N, row_grain(s.E * kNoiseBytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n)
      detail::load_row(P + n * s.E, clean + n * s.E, spread + n * s.E, expert + n * s.M(), score + n * s.M(),
                       s);
  });
}

template <class T>
void load_probability_backward_plain(Context& ctx, T* dclean, T* dspread, T* dscore, const T* dP,
                                     const T* clean, const T* spread, const std::int32_t* expert,
                                     const T* score, const LoadShape& s) {
  account(ctx, s.N * (6.0 * sizeof(T) * s.E + (sizeof(T) + 4.0) * s.M()));
  parallel_for(ctx, s.N, row_grain(s.E * kNoiseBytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t row = n * s.E, best = n * s.M();
      detail::load_row_backward(dclean + row, dspread + row, dscore + row, dP + row, clean + row,
                                spread + row, expert + best, score + best, s);
    }
  });
}

}  // namespace

MOE_TABLES(NoisyScore, noisy_score, noisy_score_plain)
MOE_TABLES(NoisyScoreBackward, noisy_score_backward, noisy_score_backward_plain)
MOE_TABLES(LoadProbability, load_probability, load_probability_plain)
MOE_TABLES(LoadProbabilityBackward, load_probability_backward, load_probability_backward_plain)

}  // namespace moe
