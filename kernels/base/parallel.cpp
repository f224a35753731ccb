#include "kernels/base/parallel.hpp"

#include "kernels/base/thread_pool.hpp"

namespace moe {

int current_worker() {
  return ThreadPool::current_worker();
}

namespace detail {

void run_chunks(Context& ctx, std::int64_t chunks, ChunkFunction function, void* body) {
  if (ctx.threads <= 1 || chunks == 1 || ThreadPool::inside_run()) {
    for (std::int64_t i = 0; i < chunks; ++i) function(body, i);
    return;
  }
  if (!ctx.pool) ctx.pool = std::make_shared<ThreadPool>(ctx.threads);
  ctx.pool->run(chunks, function, body);
}

}  // namespace detail
}  // namespace moe
