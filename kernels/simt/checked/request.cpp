#include "kernels/simt/checked/request.hpp"

#include <algorithm>
#include <bit>

namespace moe::simt {
namespace {

constexpr std::uintptr_t kSectorBytes = 32, kWordBytes = 4, kBanks = 32;

// Sectors touched, and the fewest that hold as many bytes. Bytes that several lanes touch count once.
TrafficCounts sectors_of(const Request& r) {
  struct Stretch {
    std::uintptr_t begin, end;
  } touched[kWarpSize];
  int n = 0;
  for (unsigned left = r.mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    touched[n++] = {r.address[lane], r.address[lane] + r.bytes[lane]};
  }
  std::sort(touched, touched + n, [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
  std::uintptr_t bytes = 0, covered = 0, next_sector = 0, sectors = 0;
  for (int i = 0; i < n; ++i) {
    if (touched[i].end > covered) bytes += touched[i].end - std::max(touched[i].begin, covered);
    covered = std::max(covered, touched[i].end);
    const std::uintptr_t first = std::max(touched[i].begin / kSectorBytes, next_sector),
                         end = (touched[i].end - 1) / kSectorBytes + 1;
    if (end > first) sectors += end - first;
    next_sector = std::max(next_sector, end);
  }
  return {.passes = static_cast<std::int64_t>(sectors),
          .least = static_cast<std::int64_t>((bytes + kSectorBytes - 1) / kSectorBytes)};
}

// Passes for the lanes of `part`: the most words that any bank has to give.
std::int64_t wavefronts_of(const Request& r, unsigned part, TrafficKind kind) {
  std::array<std::uintptr_t, kWarpSize*(kWidestAccess / kWordBytes + 1)> words;
  auto end = words.begin();
  for (unsigned left = part; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const std::uintptr_t last = (r.address[lane] + r.bytes[lane] - 1) / kWordBytes;
    for (std::uintptr_t word = r.address[lane] / kWordBytes; word <= last; ++word) *end++ = word;
  }
  if (kind != TrafficKind::atomic) {
    std::sort(words.begin(), end);
    end = std::unique(words.begin(), end);
  }
  std::array<int, kBanks> given{};
  for (auto word = words.begin(); word != end; ++word) ++given[*word % kBanks];
  return *std::max_element(given.begin(), given.end());
}

TrafficCounts all_wavefronts_of(const Request& r, TrafficKind kind) {
  int widest = 0;
  for (unsigned left = r.mask; left; left &= left - 1)
    widest = std::max<int>(widest, r.bytes[std::countr_zero(left)]);
  const unsigned lanes = widest <= 4 ? 32 : widest <= 8 ? 16 : 8;  // served together
  const unsigned first_part = lanes == 32 ? ~0u : (1u << lanes) - 1;
  TrafficCounts counts;
  for (unsigned first = 0; first < kWarpSize; first += lanes) {
    const unsigned part = r.mask & first_part << first;
    if (part == 0) continue;
    counts.passes += wavefronts_of(r, part, kind);
    ++counts.least;
  }
  return counts;
}

}  // namespace

TrafficCounts counts_of(const Request& request, Space space, TrafficKind kind) {
  TrafficCounts counts = space == Space::global ? sectors_of(request) : all_wavefronts_of(request, kind);
  counts.requests = 1;
  counts.lanes = std::popcount(request.mask);
  return counts;
}

}  // namespace moe::simt
