// launch(ctx, kernel, grid, block, shared_bytes, arguments...): every thread of every block calls kernel(arguments...).
//
// Blocks go to the context's threads, each of which runs one block at a time. Returns when all have ended. Throws Error
// with file and line for a shape no GPU accepts (of the launch) and for what goes wrong inside (of the kernel); when
// several blocks go wrong at once, for the one of the lowest index that was run. Threads that wait when another goes
// wrong are abandoned: destructors of their local variables do not run.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/base/context.hpp"
#include "kernels/simt/front.hpp"

namespace moe::simt {

// The context together with the line that launches.
struct LaunchContext {
  LaunchContext(Context& ctx_, Where where_ = Where::current()) : ctx(ctx_), where(where_) {}
  Context& ctx;
  Where where;
};

void run_grid(Context& ctx, const Launch& launch);

inline namespace MOE_SIMT_FLAVOUR {
namespace flavoured {

template <class... Parameters>
struct Call {
  void (*kernel)(Parameters...);
  std::tuple<Parameters...> arguments;
};

template <class... Parameters, std::size_t... I>
MOE_SIMT_UNWATCHED void call(const Call<Parameters...>& c, std::index_sequence<I...>) {
  c.kernel(std::get<I>(c.arguments)...);
}

template <class... Parameters>
MOE_SIMT_UNWATCHED void call_opaque(const void* c) {
  call(*static_cast<const Call<Parameters...>*>(c), std::index_sequence_for<Parameters...>());
}

template <class T>
const void* pointer_or_null(const T& argument) {
  if constexpr (std::is_pointer_v<T>)
    return argument;
  else
    return nullptr;
}

}  // namespace flavoured

template <class... Parameters, class... Arguments>
void launch(LaunchContext at, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            Arguments&&... arguments) {
  const flavoured::Call<Parameters...> call{kernel, {std::forward<Arguments>(arguments)...}};
  const auto pointers = std::apply(
      [](const auto&... each) {
        return std::array<const void*, sizeof...(each)>{flavoured::pointer_or_null(each)...};
      },
      call.arguments);
  run_grid(at.ctx, {grid,
                    block,
                    shared_bytes,
                    at.ctx.emulated_order,
                    {flavoured::call_opaque<Parameters...>, &call},
                    at.where,
                    kWatched,
                    pointers,
                    reinterpret_cast<const void*>(kernel)});
}

}  // namespace MOE_SIMT_FLAVOUR
}  // namespace moe::simt
