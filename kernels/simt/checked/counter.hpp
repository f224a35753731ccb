// Puts the accesses of single lanes, which come one lane after the other, together into requests of warps, and counts these.
// kernels/simt/traffic.hpp says which accesses belong together.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "kernels/simt/checked/request.hpp"

namespace moe::simt {

class TrafficCounter {
 public:
  explicit TrafficCounter(const Launch& launch);

  // `thread` numbered in its block. An access of more than kWidestAccess bytes becomes several.
  void access(unsigned thread, std::uintptr_t pc, Space space, TrafficKind kind, std::uintptr_t address,
              std::size_t bytes);
  // Lanes of `mask`, in the warp that begins with thread `first`; whole: the warp's other lanes have all ended.
  void passed_warp_operation(unsigned first, unsigned mask, bool whole);
  void passed_barrier();  // of all threads; the end of a block is one
  void add_to(Traffic& traffic) const;

 private:
  // An instruction in a warp. Requests are open until no lane can join any more.
  struct Stream {
    Stream() { close(); }
    void close();
    std::vector<Request> open;
    std::array<std::uint32_t, kWarpSize> phase, next;  // by lane: `open` before next is done, in this phase
  };
  struct Site {
    Traffic::Place place;
    TrafficCounts counts;
    std::vector<Stream> streams;  // by warp
  };
  Site& site_of(std::uintptr_t pc, Space space, TrafficKind kind);
  void join(Site& site, unsigned thread, std::uintptr_t address, std::size_t bytes);
  void close_warp(unsigned warp);

  const Launch& launch_;
  std::unordered_map<std::uintptr_t, Site> sites_;
  std::pair<std::uintptr_t, Site*> last_site_[256] = {};  // of sites_, to be quick
  std::vector<std::uint32_t> phase_;                      // by thread: rendezvous since the last barrier
  std::vector<std::vector<Site*>> open_sites_;            // by warp: with requests open
};

}  // namespace moe::simt
