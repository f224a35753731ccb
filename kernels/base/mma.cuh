// Tensor cores and asynchronous copies, one PTX instruction a function (PTX ISA 8.x, sections "mma.m16n8k16", "ldmatrix" and
// "cp.async"). They need compute capability 8.0: below, code that calls them compiles and traps, and tables keep it away
// by min_sm. On the emulated device kernels/simt/mma.hpp stands in for them, with the same layouts.
//
// Layouts, for lane = 4·g + t, g in 0..7, t in 0..3; a pair is two bf16 in 32 bits, the lower column (or row k) low:
//   A (16, 16)  a[0] row g, columns 2t, 2t+1;  a[1] row g+8;  a[2], a[3] the same rows, columns +8
//   B (16, 8)   b[0] rows k = 2t, 2t+1, column g;  b[1] rows +8
//   C (16, 8)   c[0], c[1] row g, columns 2t, 2t+1;  c[2], c[3] row g+8
// ldmatrix: lane 8·i + r gives the address of row r of 8×8 matrix i (16 bytes, aligned to 16); register i of lane 4·g + t
// receives elements (g, 2t), (g, 2t+1) of matrix i, or of its transpose.
#pragma once

#include "kernels/base/launch.hpp"

#if !defined(__CUDACC__)

#include "kernels/simt/mma.hpp"

#else

namespace moe::MOE_BACKEND {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define MOE_SM80_ASM(...) asm volatile(__VA_ARGS__)
#else
#define MOE_SM80_ASM(...) __trap()
#endif

// c (16, 8) += a (16, 16) · b (16, 8): bf16 operands, f32 sums. All 32 lanes of the warp.
__device__ inline void mma_m16n8k16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  MOE_SM80_ASM(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline unsigned shared_address(const void* address) {
  return static_cast<unsigned>(__cvta_generic_to_shared(address));
}

__device__ inline void ldmatrix_x4(unsigned (&r)[4], const void* row) {
  MOE_SM80_ASM("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x4_trans(unsigned (&r)[4], const void* row) {
  MOE_SM80_ASM("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x2(unsigned (&r)[2], const void* row) {
  MOE_SM80_ASM("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}
__device__ inline void ldmatrix_x2_trans(unsigned (&r)[2], const void* row) {
  MOE_SM80_ASM("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}

// Copies `valid` bytes from global to shared memory and zeros up to kBytes (4, 8 or 16; both addresses aligned to it). They
// are there for this thread after a cp_async_wait that covers their group, for others after a barrier behind that.
template <int kBytes>
__device__ inline void cp_async(void* to, const void* from, int valid = kBytes) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
  MOE_SM80_ASM("cp.async.ca.shared.global [%0], [%1], %2, %3;"
               :
               : "r"(shared_address(to)), "l"(from), "n"(kBytes), "r"(valid)
               : "memory");
}

// Ends a group: all copies of this thread since the last one.
__device__ inline void cp_async_commit_group() {
  MOE_SM80_ASM("cp.async.commit_group;" : : : "memory");
}

// Until at most the last kPending groups of this thread are under way.
template <int kPending>
__device__ inline void cp_async_wait_group() {
  MOE_SM80_ASM("cp.async.wait_group %0;" : : "n"(kPending) : "memory");
}

#undef MOE_SM80_ASM

}  // namespace moe::MOE_BACKEND

#endif
