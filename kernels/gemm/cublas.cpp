#ifdef MOE_HAVE_CUBLAS
#include "kernels/gemm/cublas.hpp"

#include <cublas_v2.h>
#include <dlfcn.h>

#include <vector>

#include "kernels/base/bf16.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/base/cuda/check.hpp"
#include "kernels/gemm/tile.hpp"
#include "kernels/gemm/versions.hpp"

// CUBLAS_CHECK(library.create(&handle)): MOE_CHECK's kin for cuBLAS.
#define CUBLAS_CHECK(expression)                                                                       \
  do {                                                                                                 \
    if (const cublasStatus_t moe_status = (expression); moe_status != CUBLAS_STATUS_SUCCESS)           \
      ::moe::fail_check(#expression, __FILE__, __LINE__, ::moe::concat("cuBLAS status ", moe_status)); \
  } while (false)

namespace moe::kernels_cuda {
// kernels/gemm/round_to_bf16.cuh, which the host's compiler cannot read.
void round_to_bf16(Context& ctx, Bf16* out, const float* in, std::int64_t rows, std::int64_t columns,
                   std::int64_t ld, const std::int32_t* limit);
}  // namespace moe::kernels_cuda

namespace moe::detail {
namespace {

// The functions, found by name in the library of the version whose header this was compiled with.
struct Library {
  decltype(&cublasCreate_v2) create = nullptr;
  decltype(&cublasDestroy_v2) destroy = nullptr;
  decltype(&cublasSetStream_v2) set_stream = nullptr;
  decltype(&cublasSgemm_v2_64) sgemm = nullptr;
  decltype(&cublasGemmEx_64) gemm_ex = nullptr;
  decltype(&cublasSgemmGroupedBatched_64) sgemm_grouped = nullptr;
  std::string problem;
};

constexpr const char* kName = "libcublas.so." MOE_TEXT(CUBLAS_VER_MAJOR);

template <class Function>
void find(Library& library, void* module, Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(module, name));
  if (!function) library.problem = concat(kName, " has no ", name);
}

Library load() {
  Library library;
  void* module = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (!module) module = dlopen(concat(MOE_CUDA_LIBRARIES "/", kName).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) {
    library.problem = dlerror();
    return library;
  }
  find(library, module, library.create, "cublasCreate_v2");
  find(library, module, library.destroy, "cublasDestroy_v2");
  find(library, module, library.set_stream, "cublasSetStream_v2");
  find(library, module, library.sgemm, "cublasSgemm_v2_64");
  find(library, module, library.gemm_ex, "cublasGemmEx_64");
  find(library, module, library.sgemm_grouped, "cublasSgemmGroupedBatched_64");
  return library;
}

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

const Library& working_library() {
  if (!library().problem.empty())
    throw UserError(ExitCode::missing, concat("cuBLAS cannot be loaded: ", library().problem),
                    concat("It comes with CUDA ", CUBLAS_VER_MAJOR,
                           "; where it lies elsewhere: LD_LIBRARY_PATH=/path/to/cuda/lib64"));
  return library();
}

// With the library's own workspace. One a context, since it belongs to a stream.
class Handle {
 public:
  explicit Handle(Context& ctx) {
    CUDA_CHECK(cudaSetDevice(ctx.device.index));
    CUBLAS_CHECK(working_library().create(&handle_));
    CUBLAS_CHECK(library().set_stream(handle_, static_cast<cudaStream_t>(ctx.stream->handle())));
  }
  ~Handle() {
    if (handle_) library().destroy(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cublasHandle_t get() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

cublasHandle_t handle_of(Context& ctx) {
  if (!ctx.blas) ctx.blas = std::make_shared<Handle>(ctx);
  CUDA_CHECK(cudaSetDevice(ctx.device.index));
  return static_cast<Handle*>(ctx.blas.get())->get();
}

cublasOperation_t operation(bool transpose) {
  return transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
}

// A stored matrix (rows, columns), rounded, its rows a multiple of 16 bytes apart as tensor cores like them.
class Rounded {
 public:
  Rounded(Context& ctx, const float* in, std::int64_t rows, std::int64_t columns, std::int64_t from_ld)
      : ld((columns + 7) / 8 * 8), memory_(ctx, rows * ld) {
    kernels_cuda::round_to_bf16(ctx, memory_.data(), in, rows, columns, from_ld, nullptr);
  }
  const Bf16* data() { return memory_.data(); }
  const std::int64_t ld;

 private:
  Scratch<Bf16> memory_;
};

// Products without terms, whose leading dimensions of 0 BLAS refuses, go to a kernel of ours; those without elements nowhere.
bool ends_early(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  if (s.K == 0) kernels_cuda::gemm_tiled(ctx, c, a, b, s);
  return s.K == 0 || s.M == 0 || s.N == 0;
}

// The lists that cuBLAS takes, an entry a group of one product each.
struct GroupLists {
  std::vector<cublasOperation_t> first_op, second_op;
  std::vector<std::int64_t> m, n, k, ld_first, ld_second, ld_c, size;
  std::vector<float> alpha, beta;
  std::vector<void*> first, second, c;

  void add(const GemmGroup& group) {
    const ColumnMajor p = column_major(group.shape);
    first_op.push_back(operation(p.transpose_first));
    second_op.push_back(operation(p.transpose_second));
    m.push_back(p.m), n.push_back(p.n), k.push_back(p.k);
    ld_first.push_back(p.ld_first), ld_second.push_back(p.ld_second), ld_c.push_back(p.ld_c);
    size.push_back(1);
    alpha.push_back(static_cast<float>(group.shape.alpha));
    beta.push_back(static_cast<float>(group.shape.beta));
    first.push_back(const_cast<float*>(group.b)), second.push_back(const_cast<float*>(group.a));
    c.push_back(group.c);
  }
};

class DeviceList {
 public:
  DeviceList(Context& ctx, const std::vector<void*>& list)
      : memory_(ctx, static_cast<std::int64_t>(list.size())) {
    copy_to_device(ctx, memory_.data(), list.data(), list.size() * sizeof(void*));
  }
  const float* const* inputs() { return reinterpret_cast<const float* const*>(memory_.data()); }
  float* const* outputs() { return reinterpret_cast<float* const*>(memory_.data()); }

 private:
  Scratch<void*> memory_;
};

double bytes_of(const GemmShape& s) {
  return sizeof(float) * (1.0 * s.M * s.K + 1.0 * s.K * s.N + 1.0 * s.M * s.N);
}

}  // namespace

void gemm_cublas(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  if (ends_early(ctx, c, a, b, s)) return;
  account(ctx, bytes_of(s), 2.0 * s.M * s.N * s.K);
  const ColumnMajor p = column_major(s);
  const auto alpha = static_cast<float>(s.alpha), beta = static_cast<float>(s.beta);
  CUBLAS_CHECK(working_library().sgemm(handle_of(ctx), operation(p.transpose_first),
                                       operation(p.transpose_second), p.m, p.n, p.k, &alpha, b, p.ld_first, a,
                                       p.ld_second, &beta, c, p.ld_c));
}

void gemm_cublas_bf16(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  if (ends_early(ctx, c, a, b, s)) return;
  account(ctx, bytes_of(s), 2.0 * s.M * s.N * s.K);
  const bool ta = s.a == Transpose::yes, tb = s.b == Transpose::yes;
  Rounded x(ctx, a, ta ? s.K : s.M, ta ? s.M : s.K, s.lda), y(ctx, b, tb ? s.N : s.K, tb ? s.K : s.N, s.ldb);
  GemmShape rounded = s;
  rounded.lda = x.ld;
  rounded.ldb = y.ld;
  const ColumnMajor p = column_major(rounded);
  const auto alpha = static_cast<float>(s.alpha), beta = static_cast<float>(s.beta);
  CUBLAS_CHECK(working_library().gemm_ex(handle_of(ctx), operation(p.transpose_first),
                                         operation(p.transpose_second), p.m, p.n, p.k, &alpha, y.data(),
                                         CUDA_R_16BF, p.ld_first, x.data(), CUDA_R_16BF, p.ld_second, &beta,
                                         c, CUDA_R_32F, p.ld_c, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
}

void grouped_gemm_cublas(Context& ctx, std::span<const GemmGroup> groups) {
  GroupLists lists;
  for (const GemmGroup& g : groups) {
    if (ends_early(ctx, g.c, g.a, g.b, g.shape)) continue;
    account(ctx, bytes_of(g.shape), 2.0 * g.shape.M * g.shape.N * g.shape.K);
    lists.add(g);
  }
  if (lists.m.empty()) return;
  DeviceList first(ctx, lists.first), second(ctx, lists.second), c(ctx, lists.c);
  CUBLAS_CHECK(working_library().sgemm_grouped(
      handle_of(ctx), lists.first_op.data(), lists.second_op.data(), lists.m.data(), lists.n.data(),
      lists.k.data(), lists.alpha.data(), first.inputs(), lists.ld_first.data(), second.inputs(),
      lists.ld_second.data(), lists.beta.data(), c.outputs(), lists.ld_c.data(),
      static_cast<std::int64_t>(lists.m.size()), lists.size.data()));
}

std::string why_no_cublas() {
  return library().problem;
}

}  // namespace moe::detail
#endif
