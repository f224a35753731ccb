// Many products of different shapes at once, as a library has them: one call of cuBLAS's grouped GEMM (CUDA 12.5 and newer);
// elsewhere one product after another, by the same library that computes single ones.
//
// The shapes stand in host memory. Where they follow from routing, whoever fills them in had to wait for the device: this is
// a baseline to measure against, and our own kernels, which find their tiles from offsets on the device, are the way.
// f32 only: cuBLAS groups have no f32 result of bf16 operands.
#pragma once

#include <span>

#include "kernels/gemm/gemm.hpp"

namespace moe {

struct GemmGroup {
  float* c;
  const float *a, *b;
  GemmShape shape;
};

// The results must not overlap. All groups transpose alike, and beta is the same for all. The GEMM's contract for each.
void grouped_gemm(Context& ctx, std::span<const GemmGroup> groups);

}  // namespace moe
