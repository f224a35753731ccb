// Three operations one after another: what this one means, on any device.
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/gate_losses/versions.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::detail {

template <class T>
void gate_losses_separate(Context& ctx, std::int32_t* count, T* balance, T* z, const T* probability,
                          const T* logsumexp, const std::int32_t* expert, const GateLossShape& s) {
  histogram(ctx, count, expert, s.N * s.K, s.E);
  balance_loss<T>(ctx, balance, probability, count, {s.N, s.E});
  z_loss<T>(ctx, z, logsumexp, s.N);
}

template void gate_losses_separate(Context&, std::int32_t*, float*, float*, const float*, const float*,
                                   const std::int32_t*, const GateLossShape&);
template void gate_losses_separate(Context&, std::int32_t*, double*, double*, const double*, const double*,
                                   const std::int32_t*, const GateLossShape&);

}  // namespace moe::detail
