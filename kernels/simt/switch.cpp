#include "kernels/simt/switch.hpp"

#if defined(MOE_SWITCH_BOOST)

#include <atomic>
#include <boost/context/detail/fcontext.hpp>

// Boost.Context's switch, for processors without one of our own; 8 ns instead of 3 where both exist. It tells the side that
// wakes up where the other one was left, and our callers want that stored: so each side stores it for the other.
namespace moe::simt {
namespace {

namespace context = boost::context::detail;

std::atomic<void (*)()> first_entry;  // the same for all frames

void store(context::transfer_t from) {
  *static_cast<void**>(from.data) = from.fctx;
}

void enter(context::transfer_t from) {
  store(from);
  first_entry.load()();
}

}  // namespace

void* first_frame(std::byte* top, void (*entry)()) {
  constexpr std::size_t kSize = 16 * 1024;  // of the stack, at least; it is not looked at
  first_entry = entry;
  return context::make_fcontext(top, kSize, enter);
}

}  // namespace moe::simt

extern "C" void moe_simt_switch(void** save, void* to) {
  moe::simt::store(moe::simt::context::jump_fcontext(to, save));
}

#elif defined(__x86_64__) && defined(__ELF__)

// Ends in pop and jmp, not in ret: the processor predicts a ret by the calls of the stack it left, is always wrong,
// and a switch takes 9.6 ns instead of 3.
asm(R"(
.text
.globl moe_simt_switch
.hidden moe_simt_switch
.type moe_simt_switch, @function
.p2align 4
moe_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
.size moe_simt_switch, . - moe_simt_switch
)");

namespace moe::simt {

// From the top down: a null return address, where unwinding ends and which leaves the stack pointer as a call would;
// entry, which the switch jumps to; six registers.
void* first_frame(std::byte* top, void (*entry)()) {
  void** word = reinterpret_cast<void**>(top);
  *--word = nullptr;
  *--word = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--word = nullptr;
  return word;
}

}  // namespace moe::simt

#else

#error "The emulated device needs x86-64, or Boost.Context and -DMOE_SWITCH=boost"

#endif
