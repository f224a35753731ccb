// CUDA's short vectors, with its alignments.
#pragma once

namespace moe::simt {

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

}  // namespace moe::simt
