#include "sessions/01_overview/challenges/geometry.hpp"

#include <cmath>
#include <map>

#include "common/tensor/host_values.hpp"

namespace moe::session1 {
namespace {

struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;
};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{a.rows, b.columns, std::vector<double>(static_cast<std::size_t>(a.rows * b.columns))};
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t k = 0; k < a.columns; ++k)
      for (std::int64_t j = 0; j < b.columns; ++j)
        c.values[i * c.columns + j] += a.values[i * a.columns + k] * b.values[k * b.columns + j];
  return c;
}

// Matrices of the last layer's router.
std::vector<Matrix> router_matrices(LanguageModel& model) {
  std::map<std::string, std::vector<Matrix>> layers;
  std::string last;
  model.visit([&](const std::string& name, Parameter& p) {
    const std::size_t gate = name.find(".gate.");
    if (gate == std::string::npos || p.value.shape().size() != 2) return;
    last = name.substr(0, gate);
    layers[last].push_back({p.value.size(0), p.value.size(1), host_values(p.value)});
  });
  return layers[last];
}

double dot(const double* a, const double* b, std::int64_t D) {
  double sum = 0;
  for (std::int64_t d = 0; d < D; ++d) sum += a[d] * b[d];
  return sum;
}

// Gram-Schmidt, twice against rounding; rows that the earlier ones span go.
std::vector<double> orthonormal(const std::vector<double>& rows, std::int64_t D) {
  std::vector<double> basis;
  for (std::size_t begin = 0; begin + D <= rows.size(); begin += static_cast<std::size_t>(D)) {
    std::vector<double> v(rows.begin() + begin, rows.begin() + begin + D);
    const double length = std::sqrt(dot(v.data(), v.data(), D));
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t b = 0; b < basis.size(); b += static_cast<std::size_t>(D)) {
        const double along = dot(v.data(), &basis[b], D);
        for (std::int64_t d = 0; d < D; ++d) v[d] -= along * basis[b + d];
      }
    const double left = std::sqrt(dot(v.data(), v.data(), D));
    if (!(left > 1e-9 * length)) continue;
    for (const double x : v) basis.push_back(x / left);
  }
  return basis;
}

}  // namespace

std::vector<double> router_rows(LanguageModel& model) {
  const std::int64_t E = model.config().moe.experts, D = model.config().width;
  const std::vector<Matrix> matrices = router_matrices(model);
  for (const Matrix& m : matrices)
    if (m.rows == E && m.columns == D) return m.values;
  for (const Matrix& scores : matrices)
    for (const Matrix& projection : matrices)
      if (scores.rows == E && projection.columns == D && scores.columns == projection.rows)
        return product(scores, projection).values;
  return {};
}

double share_inside(const Tensor& states, const std::vector<double>& rows) {
  const std::int64_t N = states.rows(), D = states.width();
  std::vector<double> x = host_values(states), mean(static_cast<std::size_t>(D));
  for (std::int64_t i = 0; i < N * D; ++i) mean[i % D] += x[i] / static_cast<double>(N);
  for (std::int64_t i = 0; i < N * D; ++i) x[i] -= mean[i % D];
  const std::vector<double> basis = orthonormal(rows, D);
  double inside = 0, all = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    all += dot(&x[n * D], &x[n * D], D);
    for (std::size_t b = 0; b < basis.size(); b += static_cast<std::size_t>(D))
      inside += std::pow(dot(&x[n * D], &basis[b], D), 2);
  }
  return all > 0 ? inside / all : 0;
}

}  // namespace moe::session1
