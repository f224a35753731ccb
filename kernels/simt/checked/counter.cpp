#include "kernels/simt/checked/counter.hpp"

#include <algorithm>
#include <bit>

namespace moe::simt {
namespace {

constexpr std::uint32_t kNoPhase = ~0u;

}  // namespace

TrafficCounter::TrafficCounter(const Launch& launch)
    : launch_(launch),
      phase_(launch.block.count()),
      open_sites_((launch.block.count() + kWarpSize - 1) / kWarpSize) {}

void TrafficCounter::Stream::close() {
  open.clear();
  phase.fill(kNoPhase);
  next.fill(0);
}

// One return address may load and store, and in both spaces: a copy does.
TrafficCounter::Site& TrafficCounter::site_of(std::uintptr_t pc, Space space, TrafficKind kind) {
  const std::uintptr_t key = pc << 3 | static_cast<unsigned>(space) << 2 | static_cast<unsigned>(kind);
  auto& [last_key, last] = last_site_[(key ^ key >> 8) % std::size(last_site_)];
  if (last_key == key) return *last;
  const auto [at, is_new] = sites_.try_emplace(key);
  if (is_new) {
    at->second.place = {launch_.kernel, launch_.where.file_name(), pc, space, kind};
    at->second.streams.resize(open_sites_.size());
  }
  last_key = key;
  last = &at->second;
  return *last;
}

void TrafficCounter::access(unsigned thread, std::uintptr_t pc, Space space, TrafficKind kind,
                            std::uintptr_t address, std::size_t bytes) {
  Site& site = site_of(pc, space, kind);
  for (; bytes > kWidestAccess; address += kWidestAccess, bytes -= kWidestAccess)
    join(site, thread, address, kWidestAccess);
  join(site, thread, address, bytes);
}

// The first request of the lane's phase that it is not yet in; else it opens one.
void TrafficCounter::join(Site& site, unsigned thread, std::uintptr_t address, std::size_t bytes) {
  const unsigned warp = thread / kWarpSize, lane = thread % kWarpSize;
  Stream& stream = site.streams[warp];
  if (stream.phase[lane] != phase_[thread]) {
    stream.phase[lane] = phase_[thread];
    stream.next[lane] = 0;
  }
  std::uint32_t& i = stream.next[lane];
  while (i < stream.open.size() && stream.open[i].phase != phase_[thread]) ++i;
  if (i == stream.open.size()) {
    if (i == 0) open_sites_[warp].push_back(&site);
    stream.open.emplace_back().phase = phase_[thread];
  }
  Request& request = stream.open[i++];
  request.mask |= 1u << lane;
  request.address[lane] = address;
  request.bytes[lane] = static_cast<std::uint8_t>(bytes);
}

void TrafficCounter::close_warp(unsigned warp) {
  for (Site* site : open_sites_[warp]) {
    Stream& stream = site->streams[warp];
    for (const Request& request : stream.open)
      site->counts.add(counts_of(request, site->place.space, site->place.kind));
    stream.close();
  }
  open_sites_[warp].clear();
}

// Lanes that meet are in one phase from then on, however many rendezvous each has had before.
void TrafficCounter::passed_warp_operation(unsigned first, unsigned mask, bool whole) {
  std::uint32_t latest = 0;
  for (unsigned left = mask; left; left &= left - 1)
    latest = std::max(latest, phase_[first + std::countr_zero(left)]);
  for (unsigned left = mask; left; left &= left - 1) phase_[first + std::countr_zero(left)] = latest + 1;
  if (whole) close_warp(first / kWarpSize);
}

void TrafficCounter::passed_barrier() {
  for (unsigned warp = 0; warp < open_sites_.size(); ++warp) close_warp(warp);
  std::fill(phase_.begin(), phase_.end(), 0u);
}

void TrafficCounter::add_to(Traffic& traffic) const {
  for (const auto& [key, site] : sites_) traffic.add(site.place, site.counts);
}

}  // namespace moe::simt
