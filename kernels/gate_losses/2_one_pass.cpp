// One pass over the tokens in place of three regions of work, two of which had less to do than it takes to hand them out.
#include <algorithm>

#include "kernels/balance_loss/sums.hpp"
#include "kernels/base/squares.hpp"
#include "kernels/gate_losses/versions.hpp"
#include "kernels/routing_plan/counting.hpp"

namespace moe::detail {
namespace {

// Of a stretch of tokens: Σ probability (E), Σ logsumexp² and the counts (E + 1).
template <class T>
void sum_tokens(double* probability_sum, double& square_sum, std::int32_t* count, const T* probability,
                const T* logsumexp, const std::int32_t* expert, std::int64_t tokens, const GateLossShape& s) {
  std::fill_n(probability_sum, s.E, 0.0);
  for (std::int64_t n = 0; n < tokens; ++n) add_row(probability_sum, probability + n * s.E, s.E);
  square_sum = squares(logsumexp, tokens);
  std::fill_n(count, s.E + 1, 0);
  for (std::int64_t i = 0; i < tokens * s.K; ++i) ++count[bucket_of(expert[i], s.E)];
}

}  // namespace

template <class T>
void gate_losses_one_pass(Context& ctx, std::int32_t* count, T* balance, T* z, const T* probability,
                          const T* logsumexp, const std::int32_t* expert, const GateLossShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.N * s.E + s.N) + 4.0 * (1.0 * s.N * s.K + s.E), 1.0 * s.N * (s.E + 2));
  const std::int64_t grain = sum_grain(s.N, s.E * sizeof(T)), chunks = (s.N + grain - 1) / grain;
  Scratch<double> sums(ctx, (chunks + 1) * s.E), square_sums(ctx, chunks);
  Scratch<std::int32_t> counts(ctx, chunks * (s.E + 1));
  parallel_for(ctx, s.N, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t c = begin / grain;
    sum_tokens(sums.data() + c * s.E, square_sums[c], counts.data() + c * (s.E + 1),
               probability + begin * s.E, logsumexp + begin, expert + begin * s.K, end - begin, s);
  });

  double* total = sums.data() + chunks * s.E;
  double square_sum = 0;
  std::fill_n(total, s.E, 0.0);
  std::fill_n(count, s.E, 0);
  for (std::int64_t c = 0; c < chunks; ++c) {
    for (std::int64_t e = 0; e < s.E; ++e)
      total[e] += sums[c * s.E + e], count[e] += counts[c * (s.E + 1) + e];
    square_sum += square_sums[c];
  }
  *balance = static_cast<T>(balance_of(total, count, s.E, s.N));
  *z = static_cast<T>(s.N == 0 ? 0 : square_sum / static_cast<double>(s.N));
}

template void gate_losses_one_pass(Context&, std::int32_t*, float*, float*, const float*, const float*,
                                   const std::int32_t*, const GateLossShape&);
template void gate_losses_one_pass(Context&, std::int32_t*, double*, double*, const double*, const double*,
                                   const std::int32_t*, const GateLossShape&);

}  // namespace moe::detail
