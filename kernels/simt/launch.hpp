// launch(ctx, kernel, grid, block, shared_bytes, arguments...): every thread of every block calls kernel(arguments...).
//
// Blocks go to the context's threads, each of which runs one block at a time. Returns when all have ended. Throws Error
// with file and line for a shape no GPU accepts (of the launch) and for what goes wrong inside (of the kernel); when
// several blocks go wrong at once, for the one of the lowest index that was run. Threads that wait when another goes
// wrong are abandoned: destructors of their local variables do not run.
#pragma once

#include <tuple>
#include <utility>

#include "kernels/base/context.hpp"
#include "kernels/simt/block.hpp"

namespace moe::simt {

// The context together with the line that launches.
struct LaunchContext {
  LaunchContext(Context& ctx_, Where where_ = Where::current()) : ctx(ctx_), where(where_) {}
  Context& ctx;
  Where where;
};

void run_grid(Context& ctx, const Launch& launch);

template <class... Parameters, class... Arguments>
void launch(LaunchContext at, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  } const call{kernel, {std::forward<Arguments>(arguments)...}};
  const auto run = [](const void* opaque) {
    const Call& c = *static_cast<const Call*>(opaque);
    std::apply(c.kernel, c.arguments);
  };
  run_grid(at.ctx, {grid, block, shared_bytes, at.ctx.emulated_order, {run, &call}, at.where});
}

}  // namespace moe::simt
