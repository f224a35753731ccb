#include "kernels/base/stream.hpp"

#include "kernels/base/cuda/runtime.hpp"

namespace moe {

Stream::Stream(Device device) : device_(device) {
  if (device_.kind == DeviceKind::cuda) handle_ = cuda::make_stream(device_.index);
}
Stream::~Stream() {
  if (handle_) cuda::destroy_stream(handle_);
}
void Stream::synchronize() const {
  if (handle_) cuda::synchronize(handle_);
}

Event::Event(Device device) : device_(device) {
  if (device_.kind == DeviceKind::cuda) handle_ = cuda::make_event(device_.index);
}
Event::~Event() {
  if (handle_) cuda::destroy_event(handle_);
}

void Event::record(const Stream& stream) {
  if (handle_)
    cuda::record(handle_, stream.handle());
  else
    time_ = std::chrono::steady_clock::now();
}

void Event::synchronize() const {
  if (handle_) cuda::wait_for(handle_);
}

double Event::seconds_between(const Event& first, const Event& last) {
  if (!first.handle_) return std::chrono::duration<double>(last.time_ - first.time_).count();
  last.synchronize();
  return cuda::seconds_between(first.handle_, last.handle_);
}

}  // namespace moe
