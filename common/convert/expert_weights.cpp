#include "common/convert/expert_weights.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/assignment.hpp"
#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

double dot(const double* a, const double* b, std::int64_t n, std::int64_t stride) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i * stride] * b[i * stride];
  return sum;
}

// The inner product of neuron i of expert a and neuron j of expert b.
double neuron_product(const ExpertWeights& w, std::int64_t a, std::int64_t i, std::int64_t b,
                      std::int64_t j) {
  const auto gate = [&](std::int64_t e, std::int64_t row) {
    return w.gate_up.data() + (e * 2 * w.F + row) * w.D;
  };
  const auto down = [&](std::int64_t e, std::int64_t column) {
    return w.down.data() + e * w.D * w.F + column;
  };
  return dot(gate(a, i), gate(b, j), w.D, 1) + dot(gate(a, w.F + i), gate(b, w.F + j), w.D, 1) +
         dot(down(a, i), down(b, j), w.D, w.F);
}

// to's expert t += factor · from's expert e, neuron[j] of it at j.
void add_expert(ExpertWeights& to, std::int64_t t, const ExpertWeights& from, std::int64_t e,
                const std::vector<std::int32_t>& neuron, double factor) {
  const std::int64_t D = to.D, F = to.F;
  for (std::int64_t j = 0; j < F; ++j)
    for (std::int64_t d = 0; d < D; ++d) {
      for (const std::int64_t half : {std::int64_t{0}, F})
        to.gate_up[(t * 2 * F + half + j) * D + d] +=
            factor * from.gate_up[(e * 2 * F + half + neuron[j]) * D + d];
      to.down[(t * D + d) * F + j] += factor * from.down[(e * D + d) * F + neuron[j]];
    }
}

std::vector<std::int32_t> as_they_stand(std::int64_t F) {
  std::vector<std::int32_t> neuron(static_cast<std::size_t>(F));
  for (std::int64_t j = 0; j < F; ++j) neuron[j] = static_cast<std::int32_t>(j);
  return neuron;
}

void check_partition(const ExpertGroups& groups, std::int64_t E) {
  std::vector<int> seen(static_cast<std::size_t>(E));
  for (const auto& group : groups) {
    MOE_CHECK(!group.empty(), "a group without experts");
    for (const std::int64_t e : group) {
      MOE_CHECK(e >= 0 && e < E, "expert ", e, " of ", E);
      ++seen[e];
    }
  }
  for (std::int64_t e = 0; e < E; ++e) MOE_CHECK(seen[e] == 1, "expert ", e, " is in ", seen[e], " groups");
}

}  // namespace

ExpertWeights::ExpertWeights(std::int64_t experts, std::int64_t width, std::int64_t hidden)
    : E(experts), D(width), F(hidden), gate_up(E * 2 * F * D), down(E * D * F) {}

ExpertWeights::ExpertWeights(const Tensor& gate_up_from, const Tensor& down_from)
    : E(down_from.size(0)),
      D(down_from.size(1)),
      F(down_from.size(2)),
      gate_up(host_values(gate_up_from)),
      down(host_values(down_from)) {
  MOE_CHECK(gate_up_from.shape() == Shape({E, 2 * F, D}), to_string(gate_up_from.shape()), " and ",
            to_string(down_from.shape()));
}

void ExpertWeights::write(const Tensor& gate_up_to, const Tensor& down_to) const {
  MOE_CHECK(down_to.shape() == Shape({E, D, F}), to_string(down_to.shape()));
  write_values(gate_up_to, gate_up);
  write_values(down_to, down);
}

std::vector<std::int32_t> aligned_neurons(const ExpertWeights& w, std::int64_t reference,
                                          std::int64_t expert) {
  std::vector<double> product;
  for (std::int64_t j = 0; j < w.F; ++j)
    for (std::int64_t i = 0; i < w.F; ++i) product.push_back(neuron_product(w, reference, j, expert, i));
  if (product.empty()) return {};
  const auto [low, high] = std::minmax_element(product.begin(), product.end());
  const double epsilon = std::max(1e-10 * (*high - *low), 1e-300);
  return balanced_assignment(product, w.F, std::vector<std::int64_t>(static_cast<std::size_t>(w.F), 1),
                             epsilon);
}

std::vector<double> aligned_similarity(const ExpertWeights& w) {
  std::vector<double> norm, similarity(static_cast<std::size_t>(w.E * w.E));
  const auto product = [&](std::int64_t a, std::int64_t b, const std::vector<std::int32_t>& neuron) {
    double sum = 0;
    for (std::int64_t j = 0; j < w.F; ++j) sum += neuron_product(w, a, j, b, neuron[j]);
    return sum;
  };
  for (std::int64_t e = 0; e < w.E; ++e) norm.push_back(std::sqrt(product(e, e, as_they_stand(w.F))));
  for (std::int64_t a = 0; a < w.E; ++a)
    for (std::int64_t b = a; b < w.E; ++b) {
      const double scale = norm[a] * norm[b];
      const auto neuron = a == b ? as_they_stand(w.F) : aligned_neurons(w, a, b);
      similarity[a * w.E + b] = similarity[b * w.E + a] = scale > 0 ? product(a, b, neuron) / scale : 0;
    }
  return similarity;
}

std::vector<double> shares_of(const std::vector<std::int64_t>& group, std::span<const double> importance) {
  double sum = 0;
  for (const std::int64_t e : group) sum += importance[e];
  std::vector<double> share;
  for (const std::int64_t e : group)
    share.push_back(sum > 0 ? importance[e] / sum : 1.0 / static_cast<double>(group.size()));
  return share;
}

ExpertWeights merge_experts(const ExpertWeights& w, const ExpertGroups& groups,
                            std::span<const double> importance) {
  check_partition(groups, w.E);
  MOE_CHECK(static_cast<std::int64_t>(importance.size()) == w.E, importance.size(), " for ", w.E, " experts");
  ExpertWeights merged(static_cast<std::int64_t>(groups.size()), w.D, w.F);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<double> share = shares_of(groups[g], importance);
    for (std::size_t i = 0; i < groups[g].size(); ++i) {
      const std::int64_t e = groups[g][i];
      const auto neuron = i == 0 ? as_they_stand(w.F) : aligned_neurons(w, groups[g][0], e);
      add_expert(merged, static_cast<std::int64_t>(g), w, e, neuron, share[i]);
    }
  }
  return merged;
}

ExpertWeights select_experts(const ExpertWeights& w, const std::vector<std::int64_t>& kept) {
  ExpertWeights some(static_cast<std::int64_t>(kept.size()), w.D, w.F);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    MOE_CHECK(kept[i] >= 0 && kept[i] < w.E, "expert ", kept[i], " of ", w.E);
    add_expert(some, static_cast<std::int64_t>(i), w, kept[i], as_they_stand(w.F), 1);
  }
  return some;
}

}  // namespace moe
