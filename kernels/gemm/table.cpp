// Tiling over threads, the log, and the table of versions.
#include "kernels/gemm/gemm.hpp"

#include "kernels/base/parallel.hpp"
#include "kernels/gemm/cublas.hpp"
#include "kernels/gemm/gemm_log.hpp"
#include "kernels/gemm/rounded_copy.hpp"
#include "kernels/gemm/tile.hpp"
#include "kernels/gemm/versions.hpp"
#include "kernels/simt/device_memory.hpp"

namespace moe {
namespace {

template <class T>
using Tile = void(T* c, const T* a, const T* b, const GemmShape& shape);

template <class T>
void logged(Context& ctx, Tile<T>* tile, T* c, const T* a, const T* b, const GemmShape& shape) {
  if (shape.M == 0 || shape.N == 0) return;
  if (ctx.gemm_log) ctx.gemm_log->record(current_worker(), dtype_of<T>, c, a, b, shape);
  tile(c, a, b, shape);
}

// Rows of C a tile: about 4 MFLOP (20 µs), so that small products still share out, in multiples of 16 so that the library's
// register blocks stay full, and at most 256 so that a tile's rows of A stay in the second-level cache. A tall product gets
// at least 128: every tile packs all of B anew, which costs as much as 16 rows of a large product.
std::int64_t tile_rows(const GemmShape& s) {
  const std::int64_t rows = 2'000'000 / std::max<std::int64_t>(1, s.N * s.K), least = s.M >= 512 ? 128 : 16;
  return std::clamp<std::int64_t>((rows + 15) / 16 * 16, least, 256);
}

// C is cut along M only: every tile reads all of B, which a cache holds at the sizes met here.
template <class T>
void tiled(Context& ctx, Tile<T>* tile, T* c, const T* a, const T* b, const GemmShape& s) {
  account(ctx, sizeof(T) * (1.0 * s.M * s.K + 1.0 * s.K * s.N + 1.0 * s.M * s.N), 2.0 * s.M * s.N * s.K);
  parallel_for(ctx, s.M, tile_rows(s), [&](std::int64_t begin, std::int64_t end) {
    GemmShape part = s;
    part.M = end - begin;
    logged(ctx, tile, c + begin * s.ldc, a + (s.a == Transpose::no ? begin * s.lda : begin), b, part);
  });
}

template <class T>
void plain(Context& ctx, T* c, const T* a, const T* b, const GemmShape& s) {
  tiled<T>(ctx, detail::tile_plain<T>, c, a, b, s);
}
template <class T>
void eigen(Context& ctx, T* c, const T* a, const T* b, const GemmShape& s) {
  tiled<T>(ctx, detail::tile_eigen<T>, c, a, b, s);
}
#ifdef MOE_HAVE_ONEDNN
void onednn(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  tiled<float>(ctx, detail::tile_onednn, c, a, b, s);
}
#endif

// The best that the CPU has.
void fast(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
#ifdef MOE_HAVE_ONEDNN
  onednn(ctx, c, a, b, s);
#else
  eigen<float>(ctx, c, a, b, s);
#endif
}

// What bf16 inputs mean: operands rounded, sums in f32.
void bf16(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  GemmShape dense = gemm_shape(s.M, s.N, s.K, s.a, s.b, s.beta);
  dense.alpha = s.alpha;
  dense.ldc = s.ldc;
  detail::RoundedCopy x(ctx, a, s.a == Transpose::no ? s.M : s.K, dense.lda, s.lda),
      y(ctx, b, s.b == Transpose::no ? s.K : s.N, dense.ldb, s.ldb);
  fast(ctx, c, x.data(), y.data(), dense);
}

// What cuBLAS is to a GPU, the CPU's library is to the emulated one: dense products at full speed, on device memory.
template <Gemm<float>* product>
[[maybe_unused]] void library(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  const DeviceAccess access(*ctx.allocator);
  product(ctx, c, a, b, s);
  for (std::int64_t m = 0; m < s.M; ++m)
    simt::memory_written(c + m * s.ldc, static_cast<std::size_t>(s.N) * sizeof(float));
}

constexpr Version<Gemm<float>> versions_f32[] = {
    {"plain", DeviceKind::cpu, 0, plain<float>},
    {"eigen", DeviceKind::cpu, 0, eigen<float>},
#ifdef MOE_HAVE_ONEDNN
    {"onednn", DeviceKind::cpu, 0, onednn},
#endif
    {"bf16", DeviceKind::cpu, 0, bf16, DType::bf16},
    MOE_DEVICE_ROWS("1_tiled", gemm_tiled) MOE_DEVICE_ROWS("2_register_tiled", gemm_register_tiled)
#ifdef MOE_HAVE_EMULATED
        {"library", DeviceKind::emulated, 0, library<fast>},
#endif
#ifdef MOE_HAVE_CHECKED
    {"library", DeviceKind::checked, 0, library<fast>},
#endif
#ifdef MOE_HAVE_CUBLAS
    {"cublas", DeviceKind::cuda, 0, detail::gemm_cublas},
#endif
    MOE_DEVICE_ROWS_FOR("3_mma", gemm_mma, 80, DType::bf16)
#ifdef MOE_HAVE_EMULATED
        {"library_bf16", DeviceKind::emulated, 80, library<bf16>, DType::bf16},
#endif
#ifdef MOE_HAVE_CHECKED
    {"library_bf16", DeviceKind::checked, 80, library<bf16>, DType::bf16},
#endif
#ifdef MOE_HAVE_CUBLAS
    {"cublas_bf16", DeviceKind::cuda, 80, detail::gemm_cublas_bf16, DType::bf16},
#endif
};
constexpr Version<Gemm<double>> versions_f64[] = {
    {"plain", DeviceKind::cpu, 0, plain<double>},
    {"eigen", DeviceKind::cpu, 0, eigen<double>},
};

}  // namespace

template <>
Operation<Gemm<float>> gemm<float>{"gemm", versions_f32};
template <>
Operation<Gemm<double>> gemm<double>{"gemm", versions_f64};

template <>
void gemm_tile<float>(Context& ctx, float* c, const float* a, const float* b, const GemmShape& shape) {
#ifdef MOE_HAVE_ONEDNN
  logged<float>(ctx, detail::tile_onednn, c, a, b, shape);
#else
  logged<float>(ctx, detail::tile_eigen<float>, c, a, b, shape);
#endif
}
template <>
void gemm_tile<double>(Context& ctx, double* c, const double* a, const double* b, const GemmShape& shape) {
  logged<double>(ctx, detail::tile_eigen<double>, c, a, b, shape);
}

const char* gemm_library() {
#ifdef MOE_HAVE_ONEDNN
  return detail::onednn_version();
#else
  return detail::eigen_version();
#endif
}

}  // namespace moe
