// Tensor: a value handle on shared storage. Contiguous, row-major; a slice of leading rows shares the storage.
// Copying a Tensor copies the handle. Storage returns to the allocator it came from when the last handle goes; it lies in
// the memory of that allocator's device, so that raw() and data() are for kernels, read() and write() for the host.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/context.hpp"
#include "kernels/base/dtype.hpp"

namespace moe {

using Shape = std::vector<std::int64_t>;
std::string to_string(const Shape& shape);  // "(4, 128, 64)"
std::int64_t element_count(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;                                           // undefined: no storage
  static Tensor empty(Context& ctx, DType dtype, Shape shape);  // uninitialised
  static Tensor zeros(Context& ctx, DType dtype, Shape shape);

  bool defined() const { return storage_ != nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t size(int axis) const { return shape_.at(axis < 0 ? shape_.size() + axis : axis); }
  std::int64_t numel() const { return numel_; }
  std::int64_t rows() const { return shape_.empty() ? 1 : shape_[0]; }
  std::int64_t width() const;  // elements a leading row, also where there are none
  std::size_t bytes() const { return static_cast<std::size_t>(numel_) * size_of(dtype_); }

  // Throws Error when T is not the dtype.
  template <class T>
  T* data() const {
    MOE_CHECK(dtype_of<T> == dtype_, "tensor ", to_string(shape_), " holds ", name_of(dtype_));
    return reinterpret_cast<T*>(raw());
  }
  std::byte* raw() const { return data_; }

  // All elements to and from the host's memory; no context needed. Reading waits for the device: at log time only.
  void read(void* host) const;
  void write(const void* host) const;
  void copy_from(const Tensor& source) const;  // same dtype and number of elements, on the same device

  Tensor reshape(Shape shape) const;  // same elements, other shape
  Tensor slice_rows(std::int64_t begin,
                    std::int64_t end) const;  // rows [begin, end) of the first axis, shared
  bool sole_owner() const { return storage_.use_count() == 1; }  // nobody else sees a write

 private:
  struct Storage;
  std::shared_ptr<Storage> storage_;
  std::byte* data_ = nullptr;
  std::int64_t numel_ = 0;
  Shape shape_;
  DType dtype_ = DType::f32;
};

// Host copies, for tests, logs and files; from any device.
template <class T>
Tensor tensor_of(Context& ctx, const std::vector<T>& values, Shape shape);
template <class T>
std::vector<T> values_of(const Tensor& t);
double scalar_of(const Tensor& t);  // one element, as double

}  // namespace moe
