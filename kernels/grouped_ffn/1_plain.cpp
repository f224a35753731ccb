// The textbook: expert by expert, row by row, with loops only.
#include <vector>

#include "kernels/base/parallel.hpp"
#include "kernels/base/vector_math.hpp"
#include "kernels/grouped_ffn/versions.hpp"

namespace moe::detail {

template <class T>
void grouped_ffn_plain(Context& ctx, T* y, T* hidden, const T* x, const FfnWeights<T>& w,
                       const std::int32_t* offset, const FfnShape& s) {
  parallel_for(ctx, s.E, 1, [&](std::int64_t e, std::int64_t) {
    const T* gate_up = w.gate_up + e * 2 * s.F * s.D;
    const T* down = w.down + e * s.D * s.F;
    std::vector<T> h(2 * s.F), act(s.F);
    for (std::int64_t r = offset[e]; r < offset[e + 1]; ++r) {
      for (std::int64_t f = 0; f < 2 * s.F; ++f) {
        h[f] = 0;
        for (std::int64_t d = 0; d < s.D; ++d) h[f] += x[r * s.D + d] * gate_up[f * s.D + d];
        if (hidden) hidden[r * 2 * s.F + f] = h[f];
      }
      for (std::int64_t f = 0; f < s.F; ++f) act[f] = h[f] * sigmoid(h[f]) * h[s.F + f];
      for (std::int64_t d = 0; d < s.D; ++d) {
        T sum = 0;
        for (std::int64_t f = 0; f < s.F; ++f) sum += act[f] * down[d * s.F + f];
        y[r * s.D + d] = sum;
      }
    }
  });
}

template <class T>
void grouped_ffn_backward_plain(Context& ctx, const FfnGradients<T>& g, const T* dy, const T* x, T* hidden,
                                const FfnWeights<T>& w, const std::int32_t* offset, const FfnShape& s) {
  parallel_for(ctx, s.E, 1, [&](std::int64_t e, std::int64_t) {
    const std::int64_t block = e * s.F * s.D;
    const T *gate_up = w.gate_up + 2 * block, *down = w.down + block;
    T *dgate_up = g.gate_up + 2 * block, *ddown = g.down + block;
    if (!g.accumulate) {
      std::fill_n(dgate_up, 2 * s.F * s.D, T(0));
      std::fill_n(ddown, s.D * s.F, T(0));
    }
    for (std::int64_t r = offset[e]; r < offset[e + 1]; ++r) {
      T* h = hidden + r * 2 * s.F;
      for (std::int64_t f = 0; f < s.F; ++f) {
        const T a = h[f], u = h[s.F + f], sig = sigmoid(a);
        T dact = 0;
        for (std::int64_t d = 0; d < s.D; ++d) {
          dact += dy[r * s.D + d] * down[d * s.F + f];
          ddown[d * s.F + f] += dy[r * s.D + d] * a * sig * u;
        }
        h[f] = dact * u * sig * (1 + a * (1 - sig));
        h[s.F + f] = dact * a * sig;
      }
      for (std::int64_t d = 0; d < s.D; ++d) {
        T sum = 0;
        for (std::int64_t f = 0; f < 2 * s.F; ++f) {
          sum += h[f] * gate_up[f * s.D + d];
          dgate_up[f * s.D + d] += h[f] * x[r * s.D + d];
        }
        g.x[r * s.D + d] = sum;
      }
    }
  });
}

#define MOE_INSTANTIATE(T)                                                                               \
  template void grouped_ffn_plain(Context&, T*, T*, const T*, const FfnWeights<T>&, const std::int32_t*, \
                                  const FfnShape&);                                                      \
  template void grouped_ffn_backward_plain(Context&, const FfnGradients<T>&, const T*, const T*, T*,     \
                                           const FfnWeights<T>&, const std::int32_t*, const FfnShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
