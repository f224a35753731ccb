// Operands in the memory of a context's device, and a run on every device that this build and machine have.
#pragma once

#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "kernels/base/copy.hpp"
#include "kernels/simt/device_memory.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

namespace moe::testing {

// n elements between two guard zones; an output starts as NaN (integers: INT_MIN). The destructor fails the test when a
// guard was touched. `shift` elements after the alignment that an allocation has: for misaligned views.
template <class T>
class OnDevice {
 public:
  OnDevice(Context& ctx, std::int64_t n, std::int64_t shift = 0)
      : ctx_(ctx), n_(n), shift_(shift), memory_(ctx, n + shift + 2 * kGuard) {
    const std::vector<T> poison(static_cast<std::size_t>(n + shift + 2 * kGuard), poison_value());
    copy_to_device(ctx, memory_.data(), poison.data(), poison.size() * sizeof(T));
    if (ctx.device.kind == DeviceKind::checked)  // and the guards are out of bounds, the poison is no value
      simt::memory_allocated(data(), static_cast<std::size_t>(n) * sizeof(T));
  }
  OnDevice(Context& ctx, std::span<const T> values, std::int64_t shift = 0)
      : OnDevice(ctx, static_cast<std::int64_t>(values.size()), shift) {
    copy_to_device(ctx, data(), values.data(), values.size_bytes());
  }
  OnDevice(Context& ctx, const std::vector<T>& values, std::int64_t shift = 0)
      : OnDevice(ctx, std::span<const T>(values), shift) {}
  ~OnDevice() {
    simt::memory_released(data());
    const std::vector<T> all = read(memory_.data(), n_ + shift_ + 2 * kGuard);
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(all.size()); ++i)
      if ((i < kGuard + shift_ || i >= kGuard + shift_ + n_) && !is_poison(all[i]))
        ADD_FAILURE() << "written " << (i < kGuard + shift_ ? "before the beginning" : "beyond the end")
                      << ", element " << i - kGuard - shift_ << " of " << n_;
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* data() { return memory_.data() + kGuard + shift_; }
  operator T*() { return data(); }
  std::vector<T> vector() { return read(data(), n_); }  // waits for the device

 private:
  static constexpr std::int64_t kGuard = 64;
  static T poison_value() {
    if constexpr (std::numeric_limits<T>::has_quiet_NaN)
      return std::numeric_limits<T>::quiet_NaN();
    else
      return std::numeric_limits<T>::min();
  }
  static bool is_poison(const T& x) {
    const T poison = poison_value();
    return std::memcmp(&x, &poison, sizeof(T)) == 0;
  }
  std::vector<T> read(const T* from, std::int64_t n) {
    std::vector<T> values(static_cast<std::size_t>(n));
    copy_to_host(ctx_, values.data(), from, values.size() * sizeof(T));
    return values;
  }

  Context& ctx_;
  std::int64_t n_, shift_;
  Scratch<T> memory_;
};

// run(ctx): on the emulated device in order and in three random orders (one to three threads; in order with memory that
// is closed to the host), once on the checked one, and on the GPU where there is one.
template <class Run>
void every_device(Run&& run) {
#ifdef MOE_HAVE_EMULATED
  for (const std::uint64_t order : {0, 1, 2, 3}) {
    const int threads = 1 + static_cast<int>(order % 3);
    SCOPED_TRACE(concat("emulated, order ", order, " on ", threads, " threads"));
    Context ctx({.kind = DeviceKind::emulated}, threads);
    if (order == 0) ctx.allocator = make_emulated_allocator(HostAccess::forbidden);
    ctx.emulated_order = order;
    run(ctx);
  }
#endif
#ifdef MOE_HAVE_CHECKED
  {
    SCOPED_TRACE("checked");
    Context ctx({.kind = DeviceKind::checked});
    run(ctx);
  }
#endif
  if (const auto gpu = a_gpu()) {
    SCOPED_TRACE("GPU");
    Context ctx(*gpu);
    run(ctx);
  }
}

}  // namespace moe::testing
