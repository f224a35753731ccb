// The program's entry. An answer's code can run as soon as the C library starts: constructors before main, resolvers of
// indirect functions before those. So the seal comes before the C library: `moe_worker_start`, the linker's entry symbol,
// installs the filter with bare system calls and only then goes on to `_start`. The program is linked statically; no
// loader runs before it.
//
// Refused with death: files, programs, processes and threads, the network, other processes' memory. Not known: EPERM.
#include "common/grade/worker/seal.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace moe::worker {

int sealed = 0;

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;

long system_call(long number, long a = 0, long b = 0, long c = 0) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;

long system_call(long number, long a = 0, long b = 0, long c = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#else
#error "the worker's entry is written for x86-64 and AArch64"
#endif

constexpr std::uint32_t kAllowed[] = {
    SYS_read,
    SYS_write,
    SYS_writev,
    SYS_close,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_getpid,
    SYS_gettid,
    SYS_fstat,
    SYS_newfstatat,
    SYS_lseek,
    SYS_getrandom,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrusage,
    SYS_readlinkat,
    SYS_ppoll,
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
    SYS_readlink,
    SYS_poll,
#endif
};

constexpr std::uint32_t kDeadly[] = {
    SYS_clone,    SYS_clone3,     SYS_execve, SYS_execveat, SYS_socket,           SYS_connect,
    SYS_ptrace,   SYS_kill,       SYS_tkill,  SYS_openat2,  SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_unlinkat, SYS_pidfd_open,
#ifdef SYS_open
    SYS_open,     SYS_fork,       SYS_vfork,  SYS_creat,    SYS_unlink,
#endif
};

// Only with a constant in one argument: SYS_openat with a bit of kWrites set in its third is deadly, and so on.
constexpr std::uint32_t kWrites =
    03 | 0100 | 01000;  // O_ACCMODE, O_CREAT, O_TRUNC: the same on both processors

constexpr std::size_t kMostLines = 200;

struct Program {
  sock_filter line[kMostLines] = {};
  unsigned short count = 0;
  unsigned short own_pid = 0;  // the line that compares with it

  constexpr void add(std::uint16_t code, std::uint32_t k, std::uint8_t yes = 0, std::uint8_t no = 0) {
    line[count++] = {code, yes, no, k};
  }
  constexpr void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  constexpr void end(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  constexpr void decide(std::uint32_t number, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    end(verdict);
  }
  // `number` is allowed if its argument's low word, masked, equals `value`; otherwise `verdict`.
  constexpr void decide_if(std::uint32_t number, int argument, std::uint32_t mask, std::uint32_t value,
                           std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 5);
    load(offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(argument));
    add(BPF_ALU | BPF_AND | BPF_K, mask);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    end(SECCOMP_RET_ALLOW);
    end(verdict);
  }
};

constexpr std::uint32_t kDeny = SECCOMP_RET_ERRNO | 1;  // EPERM

constexpr Program make_filter(bool may_read_files) {
  Program p;
  p.load(offsetof(seccomp_data, arch));
  p.add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  p.end(SECCOMP_RET_KILL_PROCESS);
  p.load(offsetof(seccomp_data, nr));
  p.add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);  // x32: the same calls under other numbers
  p.end(SECCOMP_RET_KILL_PROCESS);
  for (const std::uint32_t number : kAllowed) p.decide(number, SECCOMP_RET_ALLOW);
  for (const std::uint32_t number : kDeadly) p.decide(number, SECCOMP_RET_KILL_PROCESS);
  p.decide_if(SYS_prlimit64, 2, ~0u, 0, kDeny);  // asks, does not set
  p.decide_if(SYS_tgkill, 0, ~0u, 0, SECCOMP_RET_KILL_PROCESS);
  p.own_pid = static_cast<unsigned short>(p.count - 3);  // abort() signals its own process
  if (may_read_files) {
    p.decide_if(SYS_openat, 2, kWrites, 0, SECCOMP_RET_KILL_PROCESS);
    p.decide_if(SYS_prctl, 0, ~0u, PR_SET_SECCOMP, kDeny);
  } else {
    p.decide(SYS_openat, SECCOMP_RET_KILL_PROCESS);
  }
  p.end(kDeny);
  return p;
}

#ifdef MOE_WORKER_DEVICE
constinit Program filter = make_filter(true);
#else
constinit Program filter = make_filter(false);
#endif

constexpr Program make_no_files() {
  Program p;
  p.load(offsetof(seccomp_data, nr));
  p.decide(SYS_openat, SECCOMP_RET_KILL_PROCESS);
  p.end(SECCOMP_RET_ALLOW);
  return p;
}
constinit Program no_files = make_no_files();

bool install(Program& program) {
  sock_fprog wanted{program.count, program.line};
  return system_call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, reinterpret_cast<long>(&wanted)) == 0;
}

}  // namespace

void close_files() {
  if (sealed) install(no_files);
}

// argv[1] is "sealed" or "bare". Runs before the C library: calls nothing of it.
extern "C" __attribute__((used, optimize("no-stack-protector", "no-tree-loop-distribute-patterns"))) void
moe_worker_seal(long* stack) {
  const long argc = stack[0];
  const char* const* argv = reinterpret_cast<const char* const*>(stack + 1);
  if (argc < 2 || argv[1][0] != 's') return;
  filter.line[filter.own_pid].k = static_cast<std::uint32_t>(system_call(SYS_getpid));
  sealed = install(filter);
}

#if defined(__x86_64__)
asm(R"(
  .text
  .globl moe_worker_start
  .type moe_worker_start, @function
moe_worker_start:
  xorl %ebp, %ebp
  movq %rsp, %r12
  movq %rsp, %rdi
  andq $-16, %rsp
  call moe_worker_seal
  movq %r12, %rsp
  xorl %edx, %edx
  jmp _start
)");
#else
asm(R"(
  .text
  .globl moe_worker_start
  .type moe_worker_start, %function
moe_worker_start:
  mov x0, sp
  bl moe_worker_seal
  mov x0, #0
  mov x29, #0
  mov x30, #0
  b _start
)");
#endif

}  // namespace moe::worker
