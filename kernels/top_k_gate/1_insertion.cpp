// The textbook: insertion into a sorted list of K.
#include "kernels/top_k_gate/row.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::detail {

template <class T>
void top_k_gate_insertion(Context& ctx, std::int32_t* expert, T* weight, const T* score, const TopKShape& s) {
  check_and_account(ctx, s, sizeof(T));
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      insert_row(expert + n * s.K, weight + n * s.K, score + n * s.E, s.E, s.K);
      if (s.renormalise) renormalise(weight + n * s.K, s.K);
    }
  });
}

#define MOE_INSTANTIATE(T) \
  template void top_k_gate_insertion(Context&, std::int32_t*, T*, const T*, const TopKShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
