// Softmax cross-entropy of next-token prediction, in nats. Rows whose target is negative do not count.
// A target beyond the vocabulary is an Error on the CPU; a device does not ask the host, and its loss becomes NaN.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// loss (1) = mean over counted rows of -log softmax(logits)[target]; 0 when no row counts.
// row_loss (N) receives each row's own loss (0 where not counted), may be null.
// dlogits (N, V) = softmax - onehot, divided by the number of counted rows; may be null, may be logits itself.
template <class T>
using CrossEntropy = void(Context&, T* loss, T* row_loss, T* dlogits, const T* logits /*(N, V)*/,
                          const std::int32_t* target /*(N)*/, std::int64_t N, std::int64_t V);

template <class T>
extern Operation<CrossEntropy<T>> cross_entropy;

}  // namespace moe
