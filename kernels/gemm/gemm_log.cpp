#include "kernels/gemm/gemm_log.hpp"

#include "kernels/base/parallel.hpp"

namespace moe {

void GemmLog::clear() {
  for (auto& list : calls_) list.clear();
}

void GemmLog::record(int worker, DType dtype, void* c, const void* a, const void* b, const GemmShape& shape) {
  calls_.at(static_cast<std::size_t>(worker)).push_back({dtype, c, a, b, shape});
}

void GemmLog::replay(Context& ctx) const {
  MOE_CHECK(ctx.gemm_log == nullptr, "a replay must not be logged");
  std::vector<const Call*> all;  // the lists side by side, about as the work made them
  for (std::size_t i = 0; all.size() < size(); ++i)
    for (const auto& list : calls_)
      if (i < list.size()) all.push_back(&list[i]);
  parallel_for(ctx, std::ssize(all), 1, [&](std::int64_t i, std::int64_t) {
    const Call& call = *all[static_cast<std::size_t>(i)];
    dispatch(call.dtype, [&]<class T>(T) {
      gemm_tile(ctx, static_cast<T*>(call.c), static_cast<const T*>(call.a), static_cast<const T*>(call.b),
                call.shape);
    });
  });
}

double GemmLog::flops() const {
  double sum = 0;
  for (const auto& list : calls_)
    for (const Call& call : list) sum += 2.0 * call.shape.M * call.shape.N * call.shape.K;
  return sum;
}

std::size_t GemmLog::size() const {
  std::size_t sum = 0;
  for (const auto& list : calls_) sum += list.size();
  return sum;
}

}  // namespace moe
