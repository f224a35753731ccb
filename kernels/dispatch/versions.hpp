// The rows of the table, private to this folder.
#pragma once

#include "kernels/dispatch/dispatch.hpp"

namespace moe::detail {

template <class T>
void dispatch_rows_separate(Context&, T* rows, std::int32_t* offset, std::int32_t* row, const T* x,
                            const std::int32_t* expert, const DispatchShape&);
template <class T>
void dispatch_rows_fused(Context&, T* rows, std::int32_t* offset, std::int32_t* row, const T* x,
                         const std::int32_t* expert, const DispatchShape&);

}  // namespace moe::detail
