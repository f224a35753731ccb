// What g++ -fsanitize=thread,bounds,alignment calls in checked kernels; in place of the libraries, which are not linked.
// Outside of kernels these return at once: host code of the same files is instrumented too.
#include "kernels/simt/checked/checker.hpp"

#ifdef MOE_HAVE_CHECKED

namespace moe::simt {
namespace {

// The calling thread's stack is not watched: no pointer to it can be of use to others, on a GPU.
template <Kind kKind, bool kCounted = true>
MOE_SIMT_INLINE void watch(const volatile void* memory, std::size_t bytes, const void* pc) {
  Thread* self = here;
  if (!self) return;
  Checker* checker = self->block->checker();
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (!checker || (address ^ stack) < kStackBytes || bytes == 0) return;
  checker->access<kKind, kCounted>(*self, address, bytes, pc);
}

// As GCC lays them out for its undefined-behaviour checks.
struct SourceLine {
  const char* file;
  std::uint32_t line, column;
};
struct Type {
  std::uint16_t kind, info;
  char name[1];  // and on: in quotes
};
struct IndexSite {
  SourceLine where;
  const Type *array, *index;
};
struct AlignmentSite {
  SourceLine where;
  const Type* type;
  unsigned char log_alignment, use;
};

void stop(Finding::What what, const SourceLine& where, const Type& type, std::int64_t number,
          std::uintptr_t address) {
  Thread* self = here;
  if (!self || !self->block->checker()) return;
  self->block->checker()->stop({.what = what,
                                .touch = {address, 1, Kind::read, nullptr},
                                .thread = self->block->number_of(*self),
                                .file = where.file,
                                .line = where.line,
                                .type = type.name,
                                .number = number});
}

}  // namespace
}  // namespace moe::simt

using moe::simt::Finding;
using moe::simt::Kind;
using moe::simt::watch;

#define MOE_PC __builtin_return_address(0)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define MOE_WATCH(n)                                 \
  void __tsan_read##n(void* a) {                     \
    watch<Kind::read>(a, n, MOE_PC);                 \
  }                                                  \
  void __tsan_write##n(void* a) {                    \
    watch<Kind::write>(a, n, MOE_PC);                \
  }                                                  \
  void __tsan_unaligned_read##n(void* a) {           \
    watch<Kind::read>(a, n, MOE_PC);                 \
  }                                                  \
  void __tsan_unaligned_write##n(void* a) {          \
    watch<Kind::write>(a, n, MOE_PC);                \
  }                                                  \
  void __tsan_volatile_read##n(void* a) {            \
    watch<Kind::read>(a, n, MOE_PC);                 \
  }                                                  \
  void __tsan_volatile_write##n(void* a) {           \
    watch<Kind::write>(a, n, MOE_PC);                \
  }                                                  \
  void __tsan_unaligned_volatile_read##n(void* a) {  \
    watch<Kind::read>(a, n, MOE_PC);                 \
  }                                                  \
  void __tsan_unaligned_volatile_write##n(void* a) { \
    watch<Kind::write>(a, n, MOE_PC);                \
  }
MOE_WATCH(1)
MOE_WATCH(2)
MOE_WATCH(4)
MOE_WATCH(8)
MOE_WATCH(16)

void __tsan_read_range(void* a, std::size_t n) {
  watch<Kind::read>(a, n, MOE_PC);
}
void __tsan_write_range(void* a, std::size_t n) {
  watch<Kind::write>(a, n, MOE_PC);
}

// The build renames what checked kernels call: memcpy is moe_checked_memcpy, and so on.
void* moe_checked_memcpy(void* to, const void* from, std::size_t n) {
  watch<Kind::read>(from, n, MOE_PC);
  watch<Kind::write>(to, n, MOE_PC);
  return std::memcpy(to, from, n);
}
void* moe_checked_memmove(void* to, const void* from, std::size_t n) {
  watch<Kind::read>(from, n, MOE_PC);
  watch<Kind::write>(to, n, MOE_PC);
  return std::memmove(to, from, n);
}
void* moe_checked_memset(void* to, int value, std::size_t n) {
  watch<Kind::write>(to, n, MOE_PC);
  return std::memset(to, value, n);
}

void moe_checked_bad_index(const moe::simt::IndexSite* site, std::uintptr_t index) {
  const unsigned bits = 1u << (site->index->info >> 1);
  const unsigned unused = bits < 64 ? 64 - bits : 0;  // the handle holds the index itself, in its low bits
  moe::simt::stop(Finding::What::bad_index, site->where, *site->array,
                  static_cast<std::int64_t>(index << unused) >> unused, 0);
}
void moe_checked_misaligned(const moe::simt::AlignmentSite* site, std::uintptr_t address) {
  moe::simt::stop(Finding::What::misaligned, site->where, *site->type, std::int64_t{1} << site->log_alignment,
                  address);
}

#define MOE_UPDATE(T, n, name)                                     \
  T __tsan_atomic##n##_##name(volatile T* a, T value, int order) { \
    watch<Kind::atomic>(a, sizeof(T), MOE_PC);                     \
    (void)order;                                                   \
    return __atomic_##name(a, value, __ATOMIC_SEQ_CST);            \
  }
#define MOE_ATOMICS(T, n)                                                                              \
  MOE_UPDATE(T, n, fetch_add)                                                                          \
  MOE_UPDATE(T, n, fetch_sub)                                                                          \
  MOE_UPDATE(T, n, fetch_and)                                                                          \
  MOE_UPDATE(T, n, fetch_or)                                                                           \
  MOE_UPDATE(T, n, fetch_xor)                                                                          \
  T __tsan_atomic##n##_exchange(volatile T* a, T value, int) {                                         \
    watch<Kind::atomic>(a, sizeof(T), MOE_PC);                                                         \
    return __atomic_exchange_n(a, value, __ATOMIC_SEQ_CST);                                            \
  }                                                                                                    \
  T __tsan_atomic##n##_load(const volatile T* a, int) {                                                \
    watch<Kind::atomic, false>(a, sizeof(T), MOE_PC); /* of an update: its exchange counts */          \
    return __atomic_load_n(a, __ATOMIC_SEQ_CST);                                                       \
  }                                                                                                    \
  void __tsan_atomic##n##_store(volatile T* a, T value, int) {                                         \
    watch<Kind::atomic>(a, sizeof(T), MOE_PC);                                                         \
    __atomic_store_n(a, value, __ATOMIC_SEQ_CST);                                                      \
  }                                                                                                    \
  int __tsan_atomic##n##_compare_exchange_strong(volatile T* a, T* expected, T value, int, int) {      \
    watch<Kind::atomic>(a, sizeof(T), MOE_PC);                                                         \
    return __atomic_compare_exchange_n(a, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                                    \
  int __tsan_atomic##n##_compare_exchange_weak(volatile T* a, T* expected, T value, int, int) {        \
    watch<Kind::atomic>(a, sizeof(T), MOE_PC);                                                         \
    return __atomic_compare_exchange_n(a, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }
MOE_ATOMICS(std::uint8_t, 8)
MOE_ATOMICS(std::uint16_t, 16)
MOE_ATOMICS(std::uint32_t, 32)
MOE_ATOMICS(std::uint64_t, 64)

void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"

#endif
