// kernels/choice on every device against the CPU.
#include "kernels/choice/choice.hpp"
#include "tests/simt/against_cpu.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

constexpr Tolerance kFewRoundings{1e-6, 1e-5};

Ints some_choices(std::int64_t N, std::int64_t E, std::int64_t K) {
  Ints expert(static_cast<std::size_t>(N * K));
  for (std::int64_t i = 0; i < N * K; ++i)
    expert[i] = static_cast<std::int32_t>(i % 5 == 3 ? -1 : (3 * (i / K) + i % K) % E);
  return expert;
}

TEST(ChoiceOnDevices, WeightsAndTheirGradientsAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const auto& [E, K] : {std::pair{1, 1}, {4, 4}, {33, 3}})
      for (const bool renormalise : {false, true}) {
        const ChoiceShape s{N, E, K, renormalise, 2.5};
        auto score = random_normal<float>(N * E, 1);
        for (float& v : score)
          v = 0.1f + std::abs(v);  // a gradient is a difference of two, divided by their sum
        if (N > 1) score[E] = NAN;
        const auto dweight = random_normal<float>(N * K, 2);
        const Ints expert = some_choices(N, E, K);
        against_cpu(
            [&](Context& ctx) {
              OnDevice<float> x(ctx, score), dw(ctx, dweight), w(ctx, s.N * s.K), dx(ctx, s.N * s.E);
              OnDevice<std::int32_t> e(ctx, expert);
              weigh_choice<float>(ctx, w, x, e, s);
              weigh_choice_backward<float>(ctx, dx, dw, x, e, s);
              return together(w.vector(), dx.vector());
            },
            {1e-5, 1e-5});
      }
}

TEST(ChoiceOnDevices, DroppingAgreesWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t K : {1, 2, 4}) {
      auto weight = random_normal<float>(N * K, 3);
      for (float& v : weight) v = std::abs(v) / 4;
      const Ints expert = some_choices(N, 8, K);
      against_cpu([&](Context& ctx) {
        OnDevice<float> w(ctx, weight);
        OnDevice<std::int32_t> e(ctx, expert), chance(ctx, N * K);
        keep_by_chance<float>(ctx, chance, e, w, {.seed = 5}, 1000, N, K);
        return chance.vector();
      });
    }
}

TEST(ChoiceOnDevices, HashAgreesWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const auto& [E, K] : {std::pair{1, 1}, {4, 4}, {33, 3}}) {
      const auto id = random_integers<std::int32_t>(N, 50000, 4);
      against_cpu([&, E = E, K = K](Context& ctx) {
        OnDevice<std::int32_t> in(ctx, id), out(ctx, N * K);
        hash_choice(ctx, out, in, {.seed = 5, .layer = 3}, {N, E, K});
        return out.vector();
      });
    }
}

TEST(ChoiceOnDevices, BiasedScoresAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const GroupLimit& limit : {GroupLimit{1, 1}, {4, 2}, {12, 5}, {4, 4}}) {
      auto score = random_integers<float>(N * 12, 3, 6);  // small integers: ties
      if (N > 1) std::fill_n(score.begin() + 12, 12, NAN);
      const auto bias = random_integers<float>(12, 2, 7);
      const auto count = random_integers<std::int32_t>(12, 100, 8);
      against_cpu([&](Context& ctx) {
        OnDevice<float> s(ctx, score), b(ctx, bias), out(ctx, N * 12);
        OnDevice<std::int32_t> c(ctx, count);
        biased_score<float>(ctx, out, s, b, limit, {N, 12, 2});
        add_counts(ctx, c, c, 12);
        move_bias<float>(ctx, b, c, 0.25, 12);
        const auto doubled = c.vector();
        return together(out.vector(), b.vector(), std::vector<float>(doubled.begin(), doubled.end()));
      });
    }
}

TEST(ChoiceOnDevices, ByTokenAgreesWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t E : {1, 33, 129}) {
      const std::int64_t C = (N + 1) / 2;
      Ints token;  // different ones within an expert
      for (std::int64_t i = 0; i < E * C; ++i)
        token.push_back(static_cast<std::int32_t>((i / C + i % C) % N));
      const auto weight = random_normal<float>(E * C, 12);
      against_cpu([&](Context& ctx) {
        OnDevice<std::int32_t> t(ctx, token), expert(ctx, E * C), alone(ctx, E * C), table(ctx, N * E);
        OnDevice<float> w(ctx, weight), weights(ctx, N * E);
        by_token<float>(ctx, expert, table, weights, t, w, N, E, C);
        by_token<float>(ctx, alone, nullptr, nullptr, t, w, N, E, C);
        const auto w_out = weights.vector();
        Ints bits(w_out.size());
        if (!bits.empty()) std::memcpy(bits.data(), w_out.data(), bits.size() * sizeof(float));
        return together(expert.vector(), alone.vector(), table.vector(), bits);
      });
    }
}

TEST(ChoiceOnDevices, ElementsAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t C : {1, 33}) {
      const auto x = random_normal<float>(N * C, 9), dy = random_normal<float>(N * C, 10);
      const auto integers = random_integers<std::int32_t>(N * C, 1000, 11);
      against_cpu(
          [&](Context& ctx) {
            OnDevice<float> in(ctx, x), d(ctx, dy), y(ctx, N * C), dx(ctx, N * C), t(ctx, N * C);
            sigmoid<float>(ctx, y, in, N * C);
            sigmoid_backward<float>(ctx, dx, d, y, N * C);
            transposed<float>(ctx, t, in, N, C);
            return together(y.vector(), dx.vector(), t.vector());
          },
          kFewRoundings);
      against_cpu([&](Context& ctx) {
        OnDevice<std::int32_t> in(ctx, integers), t(ctx, N * C);
        transposed<std::int32_t>(ctx, t, in, N, C);
        return t.vector();
      });
    }
}

}  // namespace
}  // namespace moe
