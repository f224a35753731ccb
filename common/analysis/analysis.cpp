#include "common/analysis/analysis.hpp"

#include <Eigen/Eigenvalues>  // heavy: here only
#include <algorithm>
#include <cmath>

#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix matrix_of(const Tensor& x) {
  const std::vector<double> values = host_values(x);
  return Eigen::Map<const Matrix>(values.data(), x.rows(), x.width());
}

// exp(-Σ p·ln p), p = x / Σ x.
double perplexity(const Eigen::VectorXd& x) {
  const double sum = x.sum();
  if (sum == 0) return 0;
  double entropy = 0;
  for (const double v : x)
    if (v != 0) entropy -= v / sum * std::log(v / sum);
  return std::exp(entropy);
}

bool contains(const std::int32_t* list, std::int64_t K, std::int32_t e) {
  return std::find(list, list + K, e) != list + K;
}

}  // namespace

double effective_rank(const Tensor& rows) {
  if (rows.rows() == 0) return 0;
  Matrix x = matrix_of(rows);
  if (!x.allFinite()) return NAN;
  const double scale = x.squaredNorm();
  x.rowwise() -= x.colwise().mean().eval();
  const Matrix product = x.transpose() * x;
  Eigen::VectorXd values =
      Eigen::SelfAdjointEigenSolver<Matrix>(product, Eigen::EigenvaluesOnly).eigenvalues();
  for (double& v : values)  // squares of singular values; what subtracting the mean leaves of nothing is 0
    v = v > 1e-14 * scale ? std::sqrt(v) : 0;
  return perplexity(values);
}

std::vector<double> cosine_similarity(const Tensor& x) {
  Matrix m = matrix_of(x);
  for (Eigen::Index r = 0; r < m.rows(); ++r) {
    const double norm = m.row(r).norm();
    if (norm > 0) m.row(r) /= norm;
  }
  const Matrix product = m * m.transpose();
  return {product.data(), product.data() + product.size()};
}

double mean_off_diagonal(const std::vector<double>& matrix) {
  const auto R = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(matrix.size()))));
  MOE_CHECK(R * R == matrix.size(), matrix.size(), " elements are no square");
  if (R < 2) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < matrix.size(); ++i)
    if (i % (R + 1) != 0) sum += matrix[i];
  return sum / static_cast<double>(R * (R - 1));
}

double saturation(const Tensor& earlier, const Tensor& later) {
  MOE_CHECK(earlier.shape() == later.shape() && later.shape().size() == 2, to_string(earlier.shape()),
            " against ", to_string(later.shape()));
  const std::int64_t K = later.size(1);
  const auto before = values_of<std::int32_t>(earlier), after = values_of<std::int32_t>(later);
  std::int64_t chosen = 0, kept = 0;
  for (std::int64_t i = 0; i < later.numel(); ++i) {
    if (after[i] < 0) continue;
    ++chosen;
    kept += contains(before.data() + i / K * K, K, after[i]);
  }
  return chosen == 0 ? 0 : static_cast<double>(kept) / static_cast<double>(chosen);
}

std::vector<double> co_activation(const Tensor& expert, std::int64_t E) {
  const std::int64_t N = expert.rows(), K = expert.width();
  const auto list = values_of<std::int32_t>(expert);
  std::vector<double> together(static_cast<std::size_t>(E * E));
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t i = n * K; i < (n + 1) * K; ++i)
      for (std::int64_t j = n * K; j < (n + 1) * K; ++j) {
        MOE_CHECK(list[i] < E, "expert ", list[i], " of ", E);
        if (list[i] >= 0 && list[j] >= 0) ++together[list[i] * E + list[j]];
      }
  for (std::int64_t i = 0; i < E; ++i) {
    const double tokens = together[i * E + i];
    for (std::int64_t j = 0; j < E && tokens > 0; ++j) together[i * E + j] /= tokens;
  }
  return together;
}

}  // namespace moe
