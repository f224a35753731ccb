// The checker: sees every access that a checked kernel makes, and stops the launch at the first that is wrong: outside of
// all memory the device has, in memory that was released, of bytes that nobody wrote, or unordered with another thread's
// access to the same bytes.
//
// Two accesses by different threads, one of them a write and not both atomic, are ordered only by a barrier between them,
// by a __syncwarp of both threads' lanes between them, or by lying in different launches. Shuffles and votes order no
// memory, as CUDA has it.
#pragma once

#include <array>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "kernels/simt/block.hpp"
#include "kernels/simt/checked/counter.hpp"
#include "kernels/simt/checked/shadow.hpp"

namespace moe::simt {

enum class Kind : std::uint8_t { read, write, atomic };

// An access of the thread that runs now; `pc` is where its call to the checker returns.
struct Touch {
  std::uintptr_t address;
  std::size_t bytes;
  Kind kind;
  const void* pc;
};

// What an address belongs to.
struct Place {
  enum class Kind : std::uint8_t { device, dynamic_shared, static_shared, stack, constant, unchecked, none };
  Kind kind = Kind::none;
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  Shadow* shadow = nullptr;  // null: nothing is known of it, nothing is checked
};

// What is wrong; worded when the launch has stopped.
struct Finding {
  enum class What : std::uint8_t { race, undefined, outside, misaligned, bad_index } what;
  Touch touch;
  unsigned thread;
  dim3 block = {};    // filled in by the checker
  Access other = {};  // race
  Kind other_kind = Kind::read;
  const char* file = nullptr;  // misaligned, bad_index: known without asking the debug information
  unsigned line = 0;
  const char* type = nullptr;
  std::int64_t number = 0;  // the alignment; the index
};

class Checker {
 public:
  // One launch at a time in the whole process, all of its blocks on this thread of the operating system. `order` as the
  // blocks will run; empty: as they are numbered. A launch that goes well is added to `traffic`, if that is not null.
  void begin_launch(const Launch& launch, const std::vector<std::uint32_t>& order, Traffic* traffic);
  void end_launch();

  void begin_block(Block& block);
  void passed_barrier();
  void passed_warp_operation(const Warp& warp, unsigned mask, Op op);

  // Does not return to the kernel when it finds something. kCounted: it is traffic of its own.
  template <Kind kKind, bool kCounted = true>
  void access(Thread& self, std::uintptr_t address, std::size_t bytes, const void* pc);
  // What comes now is (not) traffic: a cp.async is counted where it is issued, not where it arrives.
  void count_traffic(bool on) { counting_ = on; }
  void take_value(std::uintptr_t address, std::size_t bytes);  // undefined from now on, until written
  void stop(const Finding& finding);
  [[noreturn]] void fail();  // throws what was found

  // Throw what was read before anybody wrote it. Not at once: when another thread writes there later, it is a race.
  void end_block();
  void end_grid();

 private:
  using Clocks = std::array<std::uint32_t, kWarpSize>;  // what a lane knows of the clocks of its warp's lanes
  struct Region {
    std::uintptr_t begin = 0;
    std::size_t bytes = 0;
    Shadow* shadow = nullptr;
    bool of_block = false;  // shared memory: accesses by earlier blocks do not count
    bool holds(std::uintptr_t address, std::size_t n) const {
      return address >= begin && n <= bytes && address - begin <= bytes - n;
    }
  };

  void suspect(const Finding& finding, bool of_block);
  void passed_syncwarp(const Warp& warp, unsigned mask);
  void count(unsigned thread, const Touch& touch, const Region& region);
  bool find_region(const Touch& touch, Region& region);
  Place locate(std::uintptr_t address);
  Shadow* shadow_of_static(std::uintptr_t begin, std::size_t bytes);
  bool unordered(const Access& then, const Access& now, std::uint32_t oldest) const;
  template <Kind kKind>
  void touch_cell(Cell& cell, const Access& now, std::uint32_t oldest, const Touch& touch);
  void race(const Touch& touch, const Access& now, const Access& other, Kind other_kind);

  std::string describe_finding();
  std::string describe_race();
  std::string describe_outside();
  std::string describe_place(std::uintptr_t address);
  std::string argument_at(const Place& place) const;
  dim3 block_of(const Access& access) const;

  const Launch* launch_ = nullptr;
  const std::vector<std::uint32_t>* order_ = nullptr;
  Block* block_ = nullptr;
  std::uint32_t serial_ = 0;       // of the running block: blocks begun in this process
  std::uint32_t first_block_ = 1;  // serial of the launch's first
  std::uint32_t epoch_ = 0;
  std::vector<Clocks> clocks_;      // by thread; they only ever grow, so they need no reset
  std::array<Region, 1024> sites_;  // by return address: where a line of code touched memory last
  std::unique_ptr<Shadow> dynamic_;
  std::unordered_map<std::uintptr_t, std::unique_ptr<Shadow>> statics_;  // touched in this launch
  std::uintptr_t thread_storage_ = 0;
  Traffic* traffic_ = nullptr;               // where to count; null: nowhere
  std::unique_ptr<TrafficCounter> counter_;  // of the launch, if so
  bool counting_ = true;
  Finding finding_{};
  bool suspected_ = false,
       suspected_of_block_ = false;  // finding_ is a read of undefined bytes; of shared memory
};

// Return addresses are kept as 32 bits from here: kernels and checker are in one program.
inline const char* site_base() {
  return reinterpret_cast<const char*>(&moe_simt_switch);
}

inline bool all_defined(const std::uint8_t* flags, std::size_t bytes) {
  if (bytes != 4) return !std::memchr(flags, 0, bytes);
  std::uint32_t four;
  std::memcpy(&four, flags, 4);
  return four == 0x01010101;
}

inline bool Checker::unordered(const Access& then, const Access& now, std::uint32_t oldest) const {
  if (then.block < oldest) return false;
  if (then.block != now.block) return true;
  if (then.thread == now.thread || then.epoch != now.epoch) return false;
  return then.warp() != now.warp() || clocks_[now.thread][then.thread % kWarpSize] <= then.clock;
}

template <Kind kKind>
inline void Checker::touch_cell(Cell& cell, const Access& now, std::uint32_t oldest, const Touch& touch) {
  if (unordered(cell.write, now, oldest)) race(touch, now, cell.write, Kind::write);
  for (const Access* use : {&cell.use[0], &cell.use[1], &cell.before}) {
    const bool harmless = kKind == Kind::write ? false : use->atomic == now.atomic;
    if (!harmless && unordered(*use, now, oldest))
      race(touch, now, *use, use->atomic ? Kind::atomic : Kind::read);
  }
  if constexpr (kKind == Kind::write) {
    cell = {.write = now, .use = {}, .before = {}};
    return;
  }
  Access &last = cell.use[0], &other = cell.use[1];
  if (last.block != now.block) {
    cell.before = last;
    other = {};
  } else if (last.thread != now.thread) {
    const bool other_warp = other.same_moment(now) && other.warp() != now.warp();
    if (!(other_warp && last.warp() == now.warp())) other = last;
  }
  last = now;
}

template <Kind kKind, bool kCounted>
inline void Checker::access(Thread& self, std::uintptr_t address, std::size_t bytes, const void* pc) {
  const Touch touch{address, bytes, kKind, pc};
  const std::uintptr_t site = reinterpret_cast<std::uintptr_t>(pc);
  Region& region = sites_[(site >> 2 ^ site >> 12) % sites_.size()];
  if (!region.holds(address, bytes) && !find_region(touch, region)) return;
  if (!region.shadow) return;
  std::uint8_t* defined = region.shadow->defined(address);
  const unsigned number = block_->number_of(self);
  if (kCounted && counter_) count(number, touch, region);
  if constexpr (kKind != Kind::write)
    if (!all_defined(defined, bytes)) suspect({Finding::What::undefined, touch, number}, region.of_block);
  if constexpr (kKind != Kind::read) std::memset(defined, 1, bytes);
  const Access now{.block = serial_,
                   .thread = number,
                   .epoch = epoch_,
                   .atomic = kKind == Kind::atomic,
                   .clock = clocks_[number][self.lane],
                   .site = static_cast<std::int32_t>(static_cast<const char*>(pc) - site_base())};
  const std::uint32_t oldest = region.of_block ? serial_ : first_block_;
  std::size_t count;
  Cell* cells = region.shadow->cells(address, bytes, &count);
  for (std::size_t i = 0; i < count; ++i) touch_cell<kKind>(cells[i], now, oldest, touch);
}

}  // namespace moe::simt
