// A sort, then a gather: what the operation means, on any device.
#include "kernels/dispatch/versions.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/rows/rows.hpp"

namespace moe::detail {

template <class T>
void dispatch_rows_separate(Context& ctx, T* rows, std::int32_t* offset, std::int32_t* row, const T* x,
                            const std::int32_t* expert, const DispatchShape& s) {
  sort_by_key(ctx, offset, nullptr, row, expert, s.N * s.K, s.E);
  gather_rows<T>(ctx, rows, x, {.row = row, .per_token = s.K}, {s.N, s.N * s.K, s.D});
}

template void dispatch_rows_separate(Context&, float*, std::int32_t*, std::int32_t*, const float*,
                                     const std::int32_t*, const DispatchShape&);
template void dispatch_rows_separate(Context&, double*, std::int32_t*, std::int32_t*, const double*,
                                     const std::int32_t*, const DispatchShape&);

}  // namespace moe::detail
