#include "kernels/gemm/grouped_gemm.hpp"

#include "kernels/base/trace.hpp"
#include "kernels/gemm/cublas.hpp"

namespace moe {

void grouped_gemm(Context& ctx, std::span<const GemmGroup> groups) {
  const Scope scope(ctx, "grouped_gemm");
#ifdef MOE_HAVE_CUBLAS
  if (ctx.device.kind == DeviceKind::cuda) return detail::grouped_gemm_cublas(ctx, groups);
#endif
  for (const GemmGroup& g : groups) gemm<float>(ctx, g.c, g.a, g.b, g.shape);
}

}  // namespace moe
