// MOE_HOST_DEVICE before a function that host and device code share. It is always inlined: the backends compile one header
// with different flags (the checked one watches memory), and of several copies of an inline function the linker keeps one.
// MOE_UNROLL before a loop of few steps over an array that shall stand in registers; the host's compiler decides itself.
// MOE_UNROLL_BY(n): n steps a turn, where all of them at once would ask for too many registers.
#pragma once

#if defined(__CUDACC__)
#define MOE_HOST_DEVICE __host__ __device__ __forceinline__
#define MOE_PRAGMA_(text) _Pragma(#text)
#define MOE_UNROLL _Pragma("unroll")
#define MOE_UNROLL_BY(n) MOE_PRAGMA_(unroll n)
#else
#define MOE_HOST_DEVICE inline __attribute__((always_inline))
#define MOE_UNROLL
#define MOE_UNROLL_BY(n)
#endif
