// Rotary position embedding (Su 2021, arXiv:2104.09864), half-split form as in Hugging Face's Llama and Mixtral:
// the pair (x[i], x[i + W/2]) of each head turns by angle position · theta^(-2i/W).
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct RopeShape {
  std::int64_t N;      // rows (tokens)
  std::int64_t heads;  // heads rotated: columns 0 .. heads·W of a row; the others are left alone
  std::int64_t W;      // head width, even
  std::int64_t ld;     // elements from one row to the next
  double theta = 10000;
  bool inverse = false;  // turn back: the backward pass
};

// In place on x (N, heads, W). position (N): position of each row within its sequence, not negative; the CPU checks it.
template <class T>
using Rope = void(Context&, T* x, const std::int32_t* position, const RopeShape& shape);

template <class T>
extern Operation<Rope<T>> rope;

}  // namespace moe
