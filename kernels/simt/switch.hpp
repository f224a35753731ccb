// From one stack to another: what a fiber is made of. By hand on x86-64 (System V calling convention), else Boost.Context.
#pragma once

#include <cstddef>

// Everything between a kernel and the switch is inlined into the kernel. The processor predicts where a ret goes by the
// calls before it, on whatever stack; after a switch it is wrong, at 5 ns a ret. So there shall be none.
#define MOE_SIMT_INLINE inline __attribute__((always_inline))

namespace moe::simt {

// Lays a first frame on a fresh stack, so that switching to the returned stack pointer calls entry(), which must
// never return. `top` is the end of the stack, a multiple of 16.
void* first_frame(std::byte* top, void (*entry)());

}  // namespace moe::simt

// Saves the callee-saved registers and the stack pointer at *save, and goes on where `to` was saved. The rounding
// mode is not switched: kernels do not change it.
extern "C" void moe_simt_switch(void** save, void* to);
