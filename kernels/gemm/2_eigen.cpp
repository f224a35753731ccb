// Eigen: f64 everywhere, and f32 where oneDNN is missing. Always single-threaded: this file is compiled without OpenMP
// in Eigen's sense, since the threads are ours (parallel_for).
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include "kernels/gemm/tile.hpp"

namespace moe::detail {
namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using View = Eigen::Map<const Matrix<T>, 0, Eigen::OuterStride<>>;

// One form of the product for any beta: each form is a second of compiling.
template <class Out, class A, class B>
void multiply(Out& c, const A& a, const B& b, double alpha, double beta) {
  using T = typename Out::Scalar;
  if (beta == 0)
    c.setZero();
  else if (beta != 1)
    c *= static_cast<T>(beta);
  c.noalias() += static_cast<T>(alpha) * a * b;
}

}  // namespace

template <class T>
void tile_eigen(T* c, const T* a, const T* b, const GemmShape& s) {
  const bool ta = s.a == Transpose::yes, tb = s.b == Transpose::yes;
  View<T> A(a, ta ? s.K : s.M, ta ? s.M : s.K, Eigen::OuterStride<>(s.lda));
  View<T> B(b, tb ? s.N : s.K, tb ? s.K : s.N, Eigen::OuterStride<>(s.ldb));
  Eigen::Map<Matrix<T>, 0, Eigen::OuterStride<>> C(c, s.M, s.N, Eigen::OuterStride<>(s.ldc));
  if (ta && tb) multiply(C, A.transpose(), B.transpose(), s.alpha, s.beta);
  if (ta && !tb) multiply(C, A.transpose(), B, s.alpha, s.beta);
  if (!ta && tb) multiply(C, A, B.transpose(), s.alpha, s.beta);
  if (!ta && !tb) multiply(C, A, B, s.alpha, s.beta);
}

const char* eigen_version() {
  return "Eigen " MOE_VERSION_TEXT(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
}

template void tile_eigen(float*, const float*, const float*, const GemmShape&);
template void tile_eigen(double*, const double*, const double*, const GemmShape&);

}  // namespace moe::detail
