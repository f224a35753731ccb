#include "common/tensor/tensor.hpp"

#include <functional>
#include <numeric>

namespace moe {

std::string to_string(const Shape& shape) {
  std::string s = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + std::to_string(shape[i]);
  return s + ")";
}

std::int64_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

struct Tensor::Storage {
  Storage(std::shared_ptr<Allocator> from, std::size_t n)
      : allocator(std::move(from)), bytes(n), block(static_cast<std::byte*>(allocator->allocate(n))) {}
  ~Storage() { allocator->release(block, bytes); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::shared_ptr<Allocator> allocator;
  std::size_t bytes;
  std::byte* block;
};

Tensor Tensor::empty(Context& ctx, DType dtype, Shape shape) {
  for (const std::int64_t size : shape) MOE_CHECK(size >= 0, to_string(shape));
  Tensor t;
  t.numel_ = element_count(shape);
  t.shape_ = std::move(shape);
  t.dtype_ = dtype;
  t.storage_ = std::make_shared<Storage>(ctx.allocator, t.bytes());
  t.data_ = t.storage_->block;
  return t;
}

Tensor Tensor::zeros(Context& ctx, DType dtype, Shape shape) {
  Tensor t = empty(ctx, dtype, std::move(shape));
  t.storage_->allocator->fill_bytes(t.raw(), 0, t.bytes());
  return t;
}

void Tensor::read(void* host) const {
  if (numel_ > 0) storage_->allocator->copy_to_host(host, raw(), bytes());
}

void Tensor::write(const void* host) const {
  if (numel_ > 0) storage_->allocator->copy_to_device(raw(), host, bytes());
}

void Tensor::copy_from(const Tensor& source) const {
  MOE_CHECK(source.dtype_ == dtype_ && source.numel_ == numel_, to_string(source.shape_), " of ",
            name_of(source.dtype_), " into ", to_string(shape_), " of ", name_of(dtype_));
  if (numel_ > 0) storage_->allocator->copy_on_device(raw(), source.raw(), bytes());
}

std::int64_t Tensor::width() const {
  if (!defined()) return 0;
  if (rows() > 0) return numel_ / rows();
  return std::accumulate(shape_.begin() + 1, shape_.end(), std::int64_t{1}, std::multiplies<>());
}

Tensor Tensor::reshape(Shape shape) const {
  for (const std::int64_t size : shape) MOE_CHECK(size >= 0, to_string(shape));
  MOE_CHECK(element_count(shape) == numel_, to_string(shape_), " as ", to_string(shape));
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

Tensor Tensor::slice_rows(std::int64_t begin, std::int64_t end) const {
  MOE_CHECK(!shape_.empty() && 0 <= begin && begin <= end && end <= rows(), "rows ", begin, "..", end, " of ",
            to_string(shape_));
  Tensor t = *this;
  t.data_ += static_cast<std::size_t>(begin * width()) * size_of(dtype_);
  t.shape_[0] = end - begin;
  t.numel_ = (end - begin) * width();
  return t;
}

template <class T>
Tensor tensor_of(Context& ctx, const std::vector<T>& values, Shape shape) {
  Tensor t = Tensor::empty(ctx, dtype_of<T>, std::move(shape));
  MOE_CHECK(t.numel() == static_cast<std::int64_t>(values.size()), values.size(), " values for ",
            to_string(t.shape()));
  t.write(values.data());
  return t;
}

template <class T>
std::vector<T> values_of(const Tensor& t) {
  t.data<T>();  // is it T?
  std::vector<T> values(static_cast<std::size_t>(t.numel()));
  t.read(values.data());
  return values;
}

double scalar_of(const Tensor& t) {
  MOE_CHECK(t.numel() == 1, to_string(t.shape()), " is no scalar");
  return dispatch(t.dtype(), [&]<class T>(T value) {
    t.read(&value);
    return static_cast<double>(value);
  });
}

#define MOE_INSTANTIATE(T)                                           \
  template Tensor tensor_of(Context&, const std::vector<T>&, Shape); \
  template std::vector<T> values_of(const Tensor&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
MOE_INSTANTIATE(std::int32_t)
#undef MOE_INSTANTIATE

}  // namespace moe
