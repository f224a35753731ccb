// What the kernels of the checked device ask of memory, counted as a GPU would serve it, by line of source.
//
//   simt::Traffic traffic;
//   ctx.traffic = &traffic;                       // a context of DeviceKind::checked; others count nothing
//   softmax<float>(ctx, y, x, N, E);
//   for (const simt::TrafficRow& row : traffic.rows()) ...
//
// A request is one load, store or atomic of one warp, for all of its lanes that take part. It is served in passes:
//   global  32-byte sectors that the lanes touch, Nsight Compute's "sectors per request". Least: the bytes that they
//           touch, each once, over 32, rounded up. Unit stride in floats is 4 of 4, stride 32 is 32 of 4.
//   shared  wavefronts: 32 banks of 4 bytes each give one word at a time. Lanes that read or write the same word share
//           it; atomics on one word take turns. 8-byte accesses are served a half of the warp at a time, 16-byte ones a
//           quarter. Least: one for each such part that has a lane.
// Local variables and constants of the program are not counted, nor what the host copies.
//
// Assumed: lanes of a warp that come to the same instruction for the n-th time since the last rendezvous (barrier,
// __syncwarp, shuffle, vote, mma) come together; lanes that do not come are inactive. A GPU may split what a branch has
// divided, and then needs more requests. The instructions are those that g++ -O1 makes: nvcc may keep a value in a
// register or make wider what is loaded and stored element by element. Vectors count as one access where they are copied
// as a whole; `*p = {a, b, c, d}` is four, `*p = make_float4(a, b, c, d)` is one. A copy of more than 16 bytes counts in
// pieces of 16; a cp.async as its load and its store, where it is issued.
//
// Results do not depend on the order of threads and blocks. 300 bytes are kept for a request until its warp's next
// rendezvous of all lanes, or the block's barrier or end. A context without a Traffic pays nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace moe::simt {

enum class Space : std::uint8_t { global, shared };
enum class TrafficKind : std::uint8_t { load, store, atomic };
const char* name_of(Space space);
const char* name_of(TrafficKind kind);

struct TrafficCounts {
  std::int64_t requests = 0, lanes = 0;  // lanes: that took part, over all requests
  std::int64_t passes = 0, least = 0;    // sectors or wavefronts

  double passes_per_request() const { return requests ? double(passes) / double(requests) : 0; }
  double least_per_request() const { return requests ? double(least) / double(requests) : 0; }
  double efficiency() const { return passes ? double(least) / double(passes) : 1; }
  void add(const TrafficCounts& more);
};

struct TrafficRow {
  std::string kernel;       // its name, without namespaces and template arguments
  std::string launched_in;  // the file with its launch
  std::string file;         // of the access: as in reports, the innermost .cu or .cuh
  int line = 0;             // 0: no debug information, `file` names function and offset; or a total
  Space space = Space::global;
  TrafficKind kind = TrafficKind::load;
  TrafficCounts counts;
};

// "softmax.cu:23: load from global memory, 32.0 sectors a request, 4.0 would do"; file without its folders.
std::string describe(const TrafficRow& row);

class Traffic {
 public:
  // By kernel and line, sorted. Launches that went wrong are not in it.
  std::vector<TrafficRow> rows() const;
  // By kernel, space and kind; line 0, no file.
  std::vector<TrafficRow> totals() const;
  void clear() { counts_.clear(); }

  // For the checker: an instruction is known by the address to which its call of the checker returns.
  struct Place {
    const void* kernel;       // the function
    std::string launched_in;  // file
    std::uintptr_t pc;
    Space space;
    TrafficKind kind;
    auto operator<=>(const Place&) const = default;
  };
  void add(const Place& place, const TrafficCounts& counts) { counts_[place].add(counts); }

 private:
  std::map<Place, TrafficCounts> counts_;
};

}  // namespace moe::simt
