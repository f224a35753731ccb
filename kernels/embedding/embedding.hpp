// Embedding look-up: y[n] = table[id[n]].
//
// An id outside [0, V) is an Error on the CPU. On a device ids are never read by the host: there such a row becomes NaN,
// and backward passes over it.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// y (N, D), table (V, D), id (N) in [0, V).
template <class T>
using Embedding = void(Context&, T* y, const T* table, const std::int32_t* id, std::int64_t N, std::int64_t V,
                       std::int64_t D);

// dtable[id[n]] += dy[n] for every n, summed in the order of n; dtable is cleared first unless accumulate.
template <class T>
using EmbeddingBackward = void(Context&, T* dtable, const T* dy, const std::int32_t* id, std::int64_t N,
                               std::int64_t V, std::int64_t D, bool accumulate);

template <class T>
extern Operation<Embedding<T>> embedding;
template <class T>
extern Operation<EmbeddingBackward<T>> embedding_backward;

}  // namespace moe
