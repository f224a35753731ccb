#include "kernels/simt/checked/checker.hpp"

#include <algorithm>
#include <bit>

#include "kernels/simt/checked/elf.hpp"
#include "kernels/simt/checked/registry.hpp"

namespace moe::simt {

void Checker::begin_launch(const Launch& launch, const std::vector<std::uint32_t>& order, Traffic* traffic) {
  Registry::instance().begin_launch();
  launch_ = &launch;
  order_ = &order;
  first_block_ = serial_ + 1;
  sites_ = {};
  statics_.clear();
  dynamic_.reset();
  suspected_ = false;
  traffic_ = traffic;
  counter_ = traffic ? std::make_unique<TrafficCounter>(launch) : nullptr;
  counting_ = true;
  thread_storage_ = thread_storage();
  if (clocks_.size() < launch.block.count()) clocks_.resize(launch.block.count());
}

void Checker::end_launch() {
  Registry::instance().end_launch();
  counter_.reset();
}

// Shared memory is fresh in every block: nothing is defined, and what earlier blocks did does not count.
void Checker::begin_block(Block& block) {
  block_ = &block;
  ++serial_;
  epoch_ = 0;
  if (!dynamic_) dynamic_ = std::make_unique<Shadow>(block.shared(), block.launch().shared_bytes);
  std::fill_n(dynamic_->defined(dynamic_->begin()), dynamic_->bytes(), std::uint8_t{0});
  for (const auto& [begin, shadow] : statics_)
    std::fill_n(shadow->defined(begin), shadow->bytes(), std::uint8_t{0});
}

void Checker::passed_barrier() {
  ++epoch_;
  if (counter_) counter_->passed_barrier();
}

// Only __syncwarp orders memory; but after any of them the lanes go on together.
void Checker::passed_warp_operation(const Warp& warp, unsigned mask, Op op) {
  if (op == Op::syncwarp) passed_syncwarp(warp, mask);
  if (counter_) counter_->passed_warp_operation(block_->number_of(warp.lanes[0]), mask, mask == warp.live);
}

// Every lane of the mask comes to know all that each of them knew.
void Checker::passed_syncwarp(const Warp& warp, unsigned mask) {
  const unsigned first = block_->number_of(warp.lanes[0]);
  Clocks known{};
  for (unsigned left = mask; left; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(std::countr_zero(left));
    Clocks& mine = clocks_[first + lane];
    ++mine[lane];
    for (unsigned i = 0; i < kWarpSize; ++i) known[i] = std::max(known[i], mine[i]);
  }
  for (unsigned left = mask; left; left &= left - 1)
    clocks_[first + static_cast<unsigned>(std::countr_zero(left))] = known;
}

Shadow* Checker::shadow_of_static(std::uintptr_t begin, std::size_t bytes) {
  std::unique_ptr<Shadow>& shadow = statics_[begin];
  if (!shadow) shadow = std::make_unique<Shadow>(reinterpret_cast<const void*>(begin), bytes);
  return shadow.get();
}

Place Checker::locate(std::uintptr_t address) {
  using enum Place::Kind;
  if (block_->is_stack(address)) return {.kind = stack};
  if (block_->owns(address)) return {.kind = unchecked, .begin = address, .bytes = 1};
  if (dynamic_->contains(address, 1))
    return {dynamic_shared, dynamic_->begin(), dynamic_->bytes(), dynamic_.get()};
  if (const Symbol* s = holder(program_symbols().shared, address - thread_storage_)) {
    const std::uintptr_t begin = s->begin + thread_storage_;
    return {static_shared, begin, s->bytes, shadow_of_static(begin, s->bytes)};
  }
  if (Shadow* shadow = Registry::instance().find(address))
    return {device, shadow->begin(), shadow->bytes(), shadow};
  return {.kind = is_constant(address) ? constant : none};
}

// False: there is nothing to check.
bool Checker::find_region(const Touch& touch, Region& region) {
  const Place place = locate(touch.address);
  if (place.kind == Place::Kind::unchecked) return false;
  if (place.kind == Place::Kind::constant && touch.kind == Kind::read) return false;
  const bool shared = place.kind == Place::Kind::dynamic_shared || place.kind == Place::Kind::static_shared;
  region = {place.begin, place.bytes, place.shadow, shared};
  if (!place.shadow || !region.holds(touch.address, touch.bytes))
    stop({Finding::What::outside, touch, block_->number_of(*here)});
  return true;
}

void Checker::take_value(std::uintptr_t address, std::size_t bytes) {
  const Place place = locate(address);
  if (place.shadow && place.shadow->contains(address, bytes))
    std::fill_n(place.shadow->defined(address), bytes, std::uint8_t{0});
}

void Checker::count(unsigned thread, const Touch& touch, const Region& region) {
  if (!counting_) return;
  constexpr std::uintptr_t kRow =
      128;  // of banks; variables begin with one, as they do in a GPU's shared memory
  const TrafficKind kind = touch.kind == Kind::read    ? TrafficKind::load
                           : touch.kind == Kind::write ? TrafficKind::store
                                                       : TrafficKind::atomic;
  const std::uintptr_t from_row =
      region.of_block ? touch.address + (kRow - region.begin % kRow) % kRow : touch.address;
  counter_->access(thread, reinterpret_cast<std::uintptr_t>(touch.pc),
                   region.of_block ? Space::shared : Space::global, kind, from_row, touch.bytes);
}

void Checker::race(const Touch& touch, const Access& now, const Access& other, Kind other_kind) {
  stop({.what = Finding::What::race,
        .touch = touch,
        .thread = now.thread,
        .other = other,
        .other_kind = other_kind});
}

void Checker::suspect(const Finding& finding, bool of_block) {
  if (suspected_) return;
  finding_ = finding;
  finding_.block = block_->index();
  suspected_ = true;
  suspected_of_block_ = of_block;
}

// A value that nobody wrote may well be why something else goes wrong later; but a race says why it was not there yet.
void Checker::stop(const Finding& finding) {
  if (!suspected_ || finding.what == Finding::What::race) {
    finding_ = finding;
    finding_.block = block_->index();
  }
  block_->stop_for_checker();
}

void Checker::end_block() {
  if (suspected_ && suspected_of_block_) fail();
  if (counter_) counter_->passed_barrier();
}

void Checker::end_grid() {
  if (suspected_) fail();
  if (counter_) counter_->add_to(*traffic_);
}

}  // namespace moe::simt
