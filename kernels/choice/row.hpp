// One token at a time: the arithmetic that the CPU and the kernels share. Private to this folder.
#pragma once

#include <cmath>

#include "kernels/base/host_device.hpp"
#include "kernels/choice/choice.hpp"

namespace moe::detail {

constexpr double kLeastWeightSum = 1e-20;

MOE_HOST_DEVICE bool is_expert(std::int64_t e, std::int64_t E) {
  return e >= 0 && e < E;
}

MOE_HOST_DEVICE std::int64_t chosen(const std::int32_t* expert, std::int64_t k) {
  return expert ? expert[k] : k;
}

// Row n of choices that may be null.
MOE_HOST_DEVICE const std::int32_t* row_of(const std::int32_t* expert, std::int64_t n, std::int64_t K) {
  return expert ? expert + n * K : nullptr;
}

// Σ of the kept scores. NaN passes through.
template <class T>
MOE_HOST_DEVICE T weight_sum(const T* score, const std::int32_t* expert, const ChoiceShape& s) {
  T sum = 0;
  for (std::int64_t k = 0; k < s.K; ++k)
    if (is_expert(chosen(expert, k), s.E)) sum += score[chosen(expert, k)];
  return sum;
}

template <class T>
MOE_HOST_DEVICE void weigh_row(T* weight, const T* score, const std::int32_t* expert, const ChoiceShape& s) {
  T sum = s.renormalise ? weight_sum(score, expert, s) : T(1);
  if (sum < T(kLeastWeightSum)) sum = T(kLeastWeightSum);
  for (std::int64_t k = 0; k < s.K; ++k)
    weight[k] = is_expert(chosen(expert, k), s.E) ? T(s.scale) * (score[chosen(expert, k)] / sum) : T(0);
}

// w = c·s/S, so ds_k = (c·dw_k - Σ_j dw_j·w_j) / S; where the least sum stands in for S, it is a constant.
template <class T>
MOE_HOST_DEVICE void weigh_row_backward(T* dscore, const T* dweight, const T* score,
                                        const std::int32_t* expert, const ChoiceShape& s) {
  for (std::int64_t e = 0; e < s.E; ++e) dscore[e] = 0;
  T sum = 1, mean = 0;
  if (s.renormalise) {
    sum = weight_sum(score, expert, s);
    const bool constant = sum < T(kLeastWeightSum);
    if (constant) sum = T(kLeastWeightSum);
    for (std::int64_t k = 0; k < s.K && !constant; ++k)
      if (is_expert(chosen(expert, k), s.E))
        mean += dweight[k] * (T(s.scale) * (score[chosen(expert, k)] / sum));  // as forward rounds it
  }
  for (std::int64_t k = 0; k < s.K; ++k)
    if (is_expert(chosen(expert, k), s.E)) dscore[chosen(expert, k)] = (T(s.scale) * dweight[k] - mean) / sum;
}

template <class T>
MOE_HOST_DEVICE void keep_by_chance_row(std::int32_t* kept, const std::int32_t* expert, const T* weight,
                                        const RngKey& key, std::uint64_t token, std::int64_t K) {
  const philox4x32_ctr_t words = philox_words(key, token);
  for (std::int64_t k = 0; k < K; ++k) {
    kept[k] = k > 0 && T(to_uniform(words.v[k])) >= 2 * weight[k] ? -1 : expert[k];
  }
}

// The k-th draw is one of the E - k experts that are left, counted from the lowest.
MOE_HOST_DEVICE void hash_row(std::int32_t* expert, std::int32_t id, const RngKey& key,
                              const ChoiceShape& s) {
  for (std::int64_t k = 0; k < s.K; ++k) {
    const std::uint64_t index =
        static_cast<std::uint64_t>(static_cast<std::uint32_t>(id)) << 16 | static_cast<std::uint64_t>(k);
    std::int64_t left = philox_words(key, index).v[0] % static_cast<std::uint32_t>(s.E - k);
    for (std::int32_t e = 0;; ++e) {
      bool taken = false;
      for (std::int64_t i = 0; i < k; ++i) taken = taken || expert[i] == e;
      if (!taken && left-- == 0) {
        expert[k] = e;
        break;
      }
    }
  }
}

template <class T>
MOE_HOST_DEVICE void table_row(std::int32_t* expert, std::int32_t id, const T* table, std::int64_t V,
                               const RngKey& key, const ChoiceShape& s) {
  const T* row = table + id * s.K;  // not read outside
  if (id < 0 || id >= V || !(row[0] >= 0)) return hash_row(expert, id, key, s);
  for (std::int64_t k = 0; k < s.K; ++k) expert[k] = static_cast<std::int32_t>(row[k]);
}

// A sum of NaN keeps the first only.
template <class T>
MOE_HOST_DEVICE void keep_top_p_row(std::int32_t* kept, const std::int32_t* expert, const T* weight,
                                    double threshold, std::int64_t K) {
  T sum = 0;
  for (std::int64_t k = 0; k < K; ++k) {
    kept[k] = k == 0 || sum < T(threshold) ? expert[k] : -1;
    sum += weight[k];
  }
}

MOE_HOST_DEVICE std::int32_t group_key(const std::int32_t* expert, std::int64_t i, std::int64_t length,
                                       std::int64_t E) {
  return is_expert(expert[i], E) ? static_cast<std::int32_t>(i / length * E + expert[i]) : -1;
}

MOE_HOST_DEVICE void even_out_row(std::int32_t* count, std::int64_t E, std::int64_t nulls) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < nulls; ++i) sum += count[E + i];
  for (std::int64_t e = 0; e < E; ++e) count[e] *= static_cast<std::int32_t>(nulls);
  for (std::int64_t i = 0; i < nulls; ++i) count[E + i] = sum;
}

// The sum of a group's two best biased scores; NaN where one of its scores is.
template <class T>
MOE_HOST_DEVICE T group_score(const T* score, const T* bias, std::int64_t begin, std::int64_t size) {
  T first = -INFINITY, second = -INFINITY, poison = 0;
  for (std::int64_t e = begin; e < begin + size; ++e) {
    const T s = score[e] + bias[e];
    poison += s - s;  // 0, or NaN
    if (s > first) {
      second = first;
      first = s;
    } else if (s > second) {
      second = s;
    }
  }
  return (size == 1 ? first : first + second) + poison;
}

// A group's place among the others: by score, NaN last; the lower of equals first.
template <class T>
struct GroupPlace {
  T score;
  std::int64_t group;
};
template <class T>
MOE_HOST_DEVICE bool stands_before(const GroupPlace<T>& a, const GroupPlace<T>& b) {
  if (a.score > b.score || (b.score != b.score && a.score == a.score)) return true;
  const bool behind = b.score > a.score || (a.score != a.score && b.score == b.score);
  return !behind && a.group < b.group;
}

// The last group that is kept. score[g * size] is group g's.
template <class T>
MOE_HOST_DEVICE GroupPlace<T> last_kept(const T* score, const GroupLimit& limit, std::int64_t size) {
  GroupPlace<T> last{};
  for (std::int64_t i = 0; i < limit.kept; ++i) {
    GroupPlace<T> next{};
    bool found = false;
    for (std::int64_t g = 0; g < limit.groups; ++g) {
      const GroupPlace<T> here{score[g * size], g};
      if ((i > 0 && !stands_before(last, here)) || (found && !stands_before(here, next))) continue;
      next = here;
      found = true;
    }
    last = next;
  }
  return last;
}

// The groups' scores stand in `biased`, each at its group's beginning, until that group is written.
template <class T>
MOE_HOST_DEVICE void biased_row(T* biased, const T* score, const T* bias, const GroupLimit& limit,
                                std::int64_t E) {
  const std::int64_t size = E / limit.groups;
  const bool all = limit.kept >= limit.groups;
  for (std::int64_t g = 0; g < limit.groups && !all; ++g)
    biased[g * size] = group_score(score, bias, g * size, size);
  const GroupPlace<T> last = all ? GroupPlace<T>{} : last_kept(biased, limit, size);
  for (std::int64_t g = 0; g < limit.groups; ++g) {
    const bool kept = all || !stands_before(last, GroupPlace<T>{biased[g * size], g});
    for (std::int64_t e = g * size; e < (g + 1) * size; ++e) {
      const T sum = score[e] + bias[e];
      biased[e] = kept || sum != sum ? sum : -INFINITY;  // NaN stays: -infinity would be chosen before it
    }
  }
}

// Expert e's column of by_token and weight_by_token, and its row of `expert`.
template <class T>
MOE_HOST_DEVICE void by_token_column(std::int32_t* expert, std::int32_t* by_token, T* weight_by_token,
                                     const std::int32_t* token, const T* weight, std::int64_t e,
                                     std::int64_t N, std::int64_t E, std::int64_t C) {
  const auto number = static_cast<std::int32_t>(e);
  for (std::int64_t i = e * C; i < (e + 1) * C; ++i) expert[i] = number;
  if (!by_token) return;
  for (std::int64_t n = 0; n < N; ++n) {
    by_token[n * E + e] = -1;
    weight_by_token[n * E + e] = 0;
  }
  for (std::int64_t i = e * C; i < (e + 1) * C; ++i) {
    by_token[token[i] * E + e] = number;
    weight_by_token[token[i] * E + e] = weight[i];
  }
}

template <class T>
MOE_HOST_DEVICE T moved_bias(T bias, std::int64_t count, std::int64_t all, double rate, std::int64_t E) {
  const std::int64_t above = count * E - all;  // compared in integers: exact
  return above == 0 ? bias : bias + (above < 0 ? T(rate) : -T(rate));
}

}  // namespace moe::detail
