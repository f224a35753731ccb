#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/choice/row.hpp"
#include "kernels/choice/versions.hpp"

namespace moe {
namespace {

// body(n) for every token; `bytes` that one moves.
template <class Body>
void each_token(Context& ctx, std::int64_t N, std::size_t bytes, Body body) {
  account(ctx, static_cast<double>(bytes) * static_cast<double>(N));
  parallel_for(ctx, N, row_grain(bytes), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) body(n);
  });
}

template <class T>
void weigh_plain(Context& ctx, T* weight, const T* score, const std::int32_t* expert, const ChoiceShape& s) {
  MOE_CHECK(expert || s.N == 0 || s.K == s.E, s.K, " of ", s.E, " experts, and no choices");
  each_token(ctx, s.N, s.K * (2 * sizeof(T) + 4), [&](std::int64_t n) {
    detail::weigh_row(weight + n * s.K, score + n * s.E, detail::row_of(expert, n, s.K), s);
  });
}

template <class T>
void weigh_backward_plain(Context& ctx, T* dscore, const T* dweight, const T* score,
                          const std::int32_t* expert, const ChoiceShape& s) {
  each_token(ctx, s.N, s.E * sizeof(T) + s.K * (2 * sizeof(T) + 4), [&](std::int64_t n) {
    detail::weigh_row_backward(dscore + n * s.E, dweight + n * s.K, score + n * s.E,
                               detail::row_of(expert, n, s.K), s);
  });
}

template <class T>
void keep_by_chance_plain(Context& ctx, std::int32_t* kept, const std::int32_t* expert, const T* weight,
                          const RngKey& key, std::int64_t first_token, std::int64_t N, std::int64_t K) {
  MOE_CHECK(K <= 4, K, " choices, but four draws a token");
  each_token(ctx, N, K * (sizeof(T) + 8), [&](std::int64_t n) {
    detail::keep_by_chance_row(kept + n * K, expert + n * K, weight + n * K, key,
                               static_cast<std::uint64_t>(first_token + n), K);
  });
}

void hash_plain(Context& ctx, std::int32_t* expert, const std::int32_t* id, const RngKey& key,
                const ChoiceShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, s.K, " of ", s.E, " experts");
  each_token(ctx, s.N, 4 * (s.K + 1),
             [&](std::int64_t n) { detail::hash_row(expert + n * s.K, id[n], key, s); });
}

template <class T>
void table_plain(Context& ctx, std::int32_t* expert, const std::int32_t* id, const T* table, std::int64_t V,
                 const RngKey& key, const ChoiceShape& s) {
  MOE_CHECK(1 <= s.K && s.K <= s.E, s.K, " of ", s.E, " experts");
  each_token(ctx, s.N, (4 + sizeof(T)) * (s.K + 1),
             [&](std::int64_t n) { detail::table_row(expert + n * s.K, id[n], table, V, key, s); });
}

template <class T>
void keep_top_p_plain(Context& ctx, std::int32_t* kept, const std::int32_t* expert, const T* weight,
                      double threshold, std::int64_t N, std::int64_t K) {
  each_token(ctx, N, K * (sizeof(T) + 8), [&](std::int64_t n) {
    detail::keep_top_p_row(kept + n * K, expert + n * K, weight + n * K, threshold, K);
  });
}

void group_keys_plain(Context& ctx, std::int32_t* key, const std::int32_t* expert, std::int64_t n,
                      std::int64_t length, std::int64_t E) {
  each_token(ctx, n, 8, [=](std::int64_t i) { key[i] = detail::group_key(expert, i, length, E); });
}

void even_out_nulls_plain(Context& ctx, std::int32_t* count, std::int64_t rows, std::int64_t E,
                          std::int64_t nulls) {
  each_token(ctx, rows, 8 * (E + nulls),
             [&](std::int64_t r) { detail::even_out_row(count + r * (E + nulls), E, nulls); });
}

template <class T>
void biased_plain(Context& ctx, T* biased, const T* score, const T* bias, const GroupLimit& limit,
                  const ChoiceShape& s) {
  MOE_CHECK(limit.groups >= 1 && s.E % limit.groups == 0, s.E, " experts in ", limit.groups, " groups");
  each_token(ctx, s.N, 2 * s.E * sizeof(T), [&](std::int64_t n) {
    detail::biased_row(biased + n * s.E, score + n * s.E, bias, limit, s.E);
  });
}

template <class T>
void by_token_plain(Context& ctx, std::int32_t* expert, std::int32_t* by_token, T* weight_by_token,
                    const std::int32_t* token, const T* weight, std::int64_t N, std::int64_t E,
                    std::int64_t C) {
  each_token(ctx, E, C * (8 + sizeof(T)) + (by_token ? N * (4 + sizeof(T)) : 0) + 1, [&](std::int64_t e) {
    detail::by_token_column(expert, by_token, weight_by_token, token, weight, e, N, E, C);
  });
}

void add_counts_plain(Context& ctx, std::int32_t* sum, const std::int32_t* count, std::int64_t E) {
  account(ctx, 12.0 * static_cast<double>(E));
  for (std::int64_t e = 0; e < E; ++e) sum[e] += count[e];
}

template <class T>
void move_bias_plain(Context& ctx, T* bias, const std::int32_t* count, double rate, std::int64_t E) {
  account(ctx, (2.0 * sizeof(T) + 4) * static_cast<double>(E));
  std::int64_t all = 0;
  for (std::int64_t e = 0; e < E; ++e) all += count[e];
  for (std::int64_t e = 0; e < E; ++e) bias[e] = detail::moved_bias(bias[e], count[e], all, rate, E);
}

template <class T>
void sigmoid_plain(Context& ctx, T* y, const T* x, std::int64_t n) {
  each_token(ctx, n, 2 * sizeof(T), [=](std::int64_t i) { y[i] = 1 / (1 + std::exp(-x[i])); });
}

template <class T>
void sigmoid_backward_plain(Context& ctx, T* dx, const T* dy, const T* y, std::int64_t n) {
  each_token(ctx, n, 3 * sizeof(T), [=](std::int64_t i) { dx[i] = dy[i] * y[i] * (1 - y[i]); });
}

template <class T>
void transposed_plain(Context& ctx, T* y, const T* x, std::int64_t R, std::int64_t C) {
  each_token(ctx, C, 2 * R * sizeof(T) + 1, [=](std::int64_t c) {
    for (std::int64_t r = 0; r < R; ++r) y[c * R + r] = x[r * C + c];
  });
}

constexpr Version<HashChoice> hash_versions[] = {{"plain", DeviceKind::cpu, 0, hash_plain},
                                                 MOE_DEVICE_ROWS("1_naive", hash_choice_naive)};
constexpr Version<AddCounts> add_counts_versions[] = {{"plain", DeviceKind::cpu, 0, add_counts_plain},
                                                      MOE_DEVICE_ROWS("1_naive", add_counts_naive)};

constexpr Version<GroupKeys> group_keys_versions[] = {{"plain", DeviceKind::cpu, 0, group_keys_plain},
                                                      MOE_DEVICE_ROWS("1_naive", group_keys_naive)};
constexpr Version<EvenOutNulls> even_out_versions[] = {{"plain", DeviceKind::cpu, 0, even_out_nulls_plain},
                                                       MOE_DEVICE_ROWS("1_naive", even_out_nulls_naive)};

}  // namespace

const Operation<GroupKeys> group_keys{"group_keys", group_keys_versions};
const Operation<EvenOutNulls> even_out_nulls{"even_out_nulls", even_out_versions};
const Operation<AddCounts> add_counts{"add_counts", add_counts_versions};
const Operation<HashChoice> hash_choice{"hash_choice", hash_versions};

MOE_TABLES(WeighChoice, weigh_choice, weigh_plain)
MOE_TABLES(WeighChoiceBackward, weigh_choice_backward, weigh_backward_plain)
MOE_TABLES(KeepByChance, keep_by_chance, keep_by_chance_plain)
MOE_TABLES(TableChoice, table_choice, table_plain)
MOE_TABLES(KeepTopP, keep_top_p, keep_top_p_plain)
MOE_TABLES(BiasedScore, biased_score, biased_plain)
MOE_TABLES(MoveBias, move_bias, move_bias_plain)
MOE_TABLES(ByToken, by_token, by_token_plain)
MOE_TABLES(Sigmoid, sigmoid, sigmoid_plain)
MOE_TABLES(SigmoidBackward, sigmoid_backward, sigmoid_backward_plain)
MOE_TABLE(Transposed, transposed, float, transposed_plain, MOE_DEVICE_ROWS("1_naive", transposed_float_naive))
MOE_TABLE(Transposed, transposed, double, transposed_plain)
MOE_TABLE(Transposed, transposed, int32_t, transposed_plain, MOE_DEVICE_ROWS("1_naive", transposed_int_naive))

}  // namespace moe
