// GPU memory. A released block goes to the next that asks for its size although kernels that use it may still run: those
// of the next one run after them, since a context has one stream.
#ifdef MOE_HAVE_CUDA
#include <cstring>
#include <new>

#include "kernels/base/caching_allocator.hpp"
#include "kernels/base/cuda/check.hpp"
#include "kernels/base/cuda/runtime.hpp"
#include "kernels/base/stream.hpp"

namespace moe::cuda {
namespace {

// Pinned memory on its way to the GPU: a copy from it needs no wait. Filled from the front; when full, it waits for the
// stream once and begins anew.
class Staging {
 public:
  static constexpr std::size_t kBytes = std::size_t{4} << 20;

  ~Staging() {
    if (memory_) cudaFreeHost(memory_);
  }
  void send(void* device, const void* host, std::size_t bytes, cudaStream_t stream) {
    if (!memory_) CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&memory_), kBytes));
    if (bytes > kBytes - used_) {
      CUDA_CHECK(cudaStreamSynchronize(stream));
      used_ = 0;
    }
    std::memcpy(memory_ + used_, host, bytes);
    CUDA_CHECK(cudaMemcpyAsync(device, memory_ + used_, bytes, cudaMemcpyHostToDevice, stream));
    used_ += bytes;
  }

 private:
  std::byte* memory_ = nullptr;
  std::size_t used_ = 0;
};

class CudaAllocator final : public detail::CachingAllocator {
 public:
  CudaAllocator(Device device, std::shared_ptr<Stream> stream)
      : device_(device), stream_(stream ? std::move(stream) : std::make_shared<Stream>(device)) {}
  ~CudaAllocator() override {
    cudaSetDevice(device_.index);
    cudaStreamSynchronize(handle());  // copies from staging memory may be under way
    drop_cache();
  }

  void copy_to_device(void* device, const void* host, std::size_t bytes) override {
    if (bytes == 0) return;
    use_device();
    if (bytes <= Staging::kBytes) {
      const std::lock_guard lock(staging_mutex_);
      staging_.send(device, host, bytes, handle());
    } else {
      CUDA_CHECK(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, handle()));
      synchronize();
    }
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes) override {
    use_device();
    if (bytes > 0) CUDA_CHECK(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, handle()));
    synchronize();
  }
  void copy_on_device(void* to, const void* from, std::size_t bytes) override {
    use_device();
    if (bytes > 0) CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, handle()));
  }
  void fill_bytes(void* block, unsigned char byte, std::size_t bytes) override {
    use_device();
    if (bytes > 0) CUDA_CHECK(cudaMemsetAsync(block, byte, bytes, handle()));
  }
  void synchronize() override { stream_->synchronize(); }

 protected:
  void* obtain(std::size_t bytes) override {
    use_device();
    void* block = nullptr;
    const cudaError_t code = cudaMalloc(&block, bytes);
    if (code == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // clears it
      throw std::bad_alloc();
    }
    CUDA_CHECK(code);
    return block;
  }
  void give_back(void* block, std::size_t) noexcept override { cudaFree(block); }

 private:
  cudaStream_t handle() const { return static_cast<cudaStream_t>(stream_->handle()); }
  void use_device() const { CUDA_CHECK(cudaSetDevice(device_.index)); }

  Device device_;
  std::shared_ptr<Stream> stream_;
  std::mutex staging_mutex_;
  Staging staging_;
};

}  // namespace

std::shared_ptr<Allocator> make_allocator(Device device, std::shared_ptr<Stream> stream) {
  return std::make_shared<CudaAllocator>(device, std::move(stream));
}

}  // namespace moe::cuda
#endif
