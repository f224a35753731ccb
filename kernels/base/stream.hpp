// Streams and events of a device. On the CPU and on the emulated device a launch returns when it is done, so that a
// stream is always empty and an event is a reading of the clock.
#pragma once

#include <chrono>

#include "kernels/base/device.hpp"

namespace moe {

class Stream {
 public:
  explicit Stream(Device device);  // throws UserError where this build or machine has no such device
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void synchronize() const;  // returns when its work is done; throws Error for what went wrong in it
  const Device& device() const { return device_; }
  void* handle() const { return handle_; }  // the cudaStream_t; null elsewhere

 private:
  Device device_;
  void* handle_ = nullptr;
};

// A point in the work of a stream.
class Event {
 public:
  explicit Event(Device device);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream);  // after all work that the stream has now
  void synchronize() const;           // returns when that work is done

  // On the device, without the host's part. Both are recorded; waits for `last`.
  static double seconds_between(const Event& first, const Event& last);

 private:
  Device device_;
  void* handle_ = nullptr;
  std::chrono::steady_clock::time_point time_;
};

}  // namespace moe
