#include "kernels/base/parallel.hpp"

#include <omp.h>

namespace moe {

int current_worker() { return omp_get_thread_num(); }

namespace detail {

void run_chunks(Context& ctx, std::int64_t chunks, ChunkFunction function, void* body) {
  const int threads = static_cast<int>(std::min<std::int64_t>(ctx.threads, chunks));
  if (threads <= 1 || omp_in_parallel()) {
    for (std::int64_t i = 0; i < chunks; ++i) function(body, i);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (std::int64_t i = 0; i < chunks; ++i) function(body, i);
}

}  // namespace detail
}  // namespace moe
