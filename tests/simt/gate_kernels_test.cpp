// kernels/noisy_gate, unit_rows, relu_gate, and the newer ones of choice and balance_loss, on every device against the CPU.
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/noisy_gate/noisy_gate.hpp"
#include "kernels/relu_gate/relu_gate.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"
#include "kernels/unit_rows/unit_rows.hpp"
#include "tests/simt/against_cpu.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

constexpr Tolerance kFewRoundings{2e-5, 2e-5};

TEST(GatesOnDevices, NoiseAndLoadProbabilitiesAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const auto& [E, K] : {std::pair{1, 1}, {4, 4}, {33, 3}}) {
      const auto a = random_normal<float>(N * E, 1), b = random_normal<float>(N * E, 2),
                 d = random_normal<float>(N * E, 3);
      const LoadShape load{N, E, K};
      against_cpu(
          [&](Context& ctx) {
            OnDevice<float> clean(ctx, a), spread(ctx, b), dy(ctx, d), score(ctx, N * E), dspread(ctx, N * E),
                best(ctx, N * load.M()), P(ctx, N * E), da(ctx, N * E), db(ctx, N * E), dh(ctx, N * E);
            OnDevice<std::int32_t> expert(ctx, N * load.M());
            const NoiseShape s{N, load.E, 7};
            noisy_score<float>(ctx, score, clean, spread, {.seed = 3}, s);
            noisy_score_backward<float>(ctx, dspread, dy, spread, {.seed = 3}, s);
            top_k_gate<float>(ctx, expert, best, score, {N, load.E, load.M(), false});
            load_probability<float>(ctx, P, clean, spread, expert, best, load);
            load_probability_backward<float>(ctx, da, db, dh, dy, clean, spread, expert, best, load);
            return together(score.vector(), dspread.vector(), P.vector(), da.vector(), db.vector(),
                            dh.vector());
          },
          kFewRoundings);
    }
}

TEST(GatesOnDevices, UnitRowsAndTemperatureAgreeWithTheCpu) {
  for (const std::int64_t R : kDeviceSizes)
    for (const std::int64_t C : {1, 2, 33}) {
      const auto x = random_normal<float>(R * C, 1), d = random_normal<float>(R * C, 2);
      against_cpu(
          [&](Context& ctx) {
            OnDevice<float> in(ctx, x), dy(ctx, d), y(ctx, R * C), r(ctx, R), dx(ctx, R * C),
                warm(ctx, R * C), dwarm(ctx, R * C), dt(ctx, 1), t(ctx, std::vector<float>{0.5f});
            unit_rows<float>(ctx, y, r, in, R, C);
            unit_rows_backward<float>(ctx, dx, dy, y, r, R, C);
            tempered<float>(ctx, warm, in, t, R * C);
            tempered_backward<float>(ctx, dwarm, dt, dy, warm, t, R * C);
            return together(y.vector(), r.vector(), dx.vector(), warm.vector(), dwarm.vector(), dt.vector());
          },
          kFewRoundings);
    }
}

TEST(GatesOnDevices, ReluAndItsCoefficientAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t E : {1, 33}) {
      auto x = random_normal<float>(N * E, 1);
      if (N > 1) x[E] = NAN, x[0] = 0;
      const auto d = random_normal<float>(N * E, 2);
      const auto counts = random_integers<std::int32_t>(E, 100, 3);
      against_cpu([&](Context& ctx) {
        OnDevice<float> in(ctx, x), dy(ctx, d), weight(ctx, N * E), dx(ctx, N * E), factor(ctx, 1),
            coefficient(ctx, std::vector<float>{0.25f});
        OnDevice<std::int32_t> expert(ctx, N * E), count(ctx, counts);
        relu_choice<float>(ctx, expert, weight, in, N, E);
        relu_choice_backward<float>(ctx, dx, dy, expert, N * E);
        load_factor<float>(ctx, factor, coefficient, count, 64, E);
        adapt_coefficient<float>(ctx, coefficient, count, 64, 2, E);
        const Ints e = expert.vector();
        return together(weight.vector(), dx.vector(), factor.vector(), coefficient.vector(),
                        std::vector<float>(e.begin(), e.end()));
      });
    }
}

TEST(GatesOnDevices, TopPTablesKeysAndNullsAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes)
    for (const std::int64_t K : {1, 3}) {
      auto weight = random_normal<float>(N * K, 1);
      for (float& w : weight) w = std::abs(w) / 3;
      const auto expert = random_integers<std::int32_t>(N * K, 9, 2),
                 id = random_integers<std::int32_t>(N, 8, 3);
      std::vector<float> table(5 * K);
      for (std::size_t i = 0; i < table.size(); ++i) table[i] = i / K == 2 ? -1.f : static_cast<float>(i % 8);
      against_cpu([&](Context& ctx) {
        OnDevice<float> w(ctx, weight), t(ctx, table);
        OnDevice<std::int32_t> e(ctx, expert), kept(ctx, N * K), key(ctx, N * K), ids(ctx, id),
            by_id(ctx, N * K), count(ctx, random_integers<std::int32_t>(3 * 6, 20, 4));
        keep_top_p<float>(ctx, kept, e, w, 0.4, N, K);
        group_keys(ctx, key, e, N * K, 2 * K, 6);
        table_choice<float>(ctx, by_id, ids, t, 5, {.seed = 2}, {N, 8, K});
        even_out_nulls(ctx, count, 3, 4, 2);
        return together(kept.vector(), key.vector(), by_id.vector(), count.vector());
      });
    }
}

TEST(GatesOnDevices, SharesOfWholeRowsAgreeWithTheCpu) {
  for (const std::int64_t N : kDeviceSizes) {
    auto x = random_normal<float>(N * 5, 1);
    for (float& v : x) v = 0.1f + std::abs(v);
    const auto d = random_normal<float>(N * 5, 2);
    against_cpu(
        [&](Context& ctx) {
          OnDevice<float> score(ctx, x), dw(ctx, d), w(ctx, N * 5), dx(ctx, N * 5);
          weigh_choice<float>(ctx, w, score, nullptr, {N, 5, 5});
          weigh_choice_backward<float>(ctx, dx, dw, score, nullptr, {N, 5, 5});
          return together(w.vector(), dx.vector());
        },
        kFewRoundings);
  }
}

TEST(BalanceLossKernel, GroupsVariationAndEntropyAgreeWithTheCpu) {
  for (const std::int64_t tokens : kDeviceSizes)
    for (const std::int64_t E : {1, 8, 33}) {
      const std::int64_t S = 3, N = S * tokens;
      auto p = random_normal<float>(N * E, 1);
      for (float& v : p) v = 0.01f + std::abs(v);
      if (N > 0 && E > 1) p[1] = 0;
      const auto counts = random_integers<std::int32_t>(S * E, 40, 2);
      for (const bool accumulate : {false, true})
        against_cpu(
            [&](Context& ctx) {
              OnDevice<float> x(ctx, p), dloss(ctx, std::vector<float>{0.5f}), balance(ctx, 1),
                  variation(ctx, 1), entropy(ctx, 1);
              const auto before = random_normal<float>(N * E, 3);
              OnDevice<float> d1(ctx, before), d2(ctx, before), d3(ctx, before);
              OnDevice<double> sum(ctx, E);
              OnDevice<std::int32_t> count(ctx, counts);
              balance_loss<float>(ctx, balance, x, count, {N, E, S});
              balance_loss_backward<float>(ctx, d1, dloss, count, {N, E, S}, accumulate);
              squared_variation<float>(ctx, variation, sum, x, N, E);
              squared_variation_backward<float>(ctx, d2, dloss, sum, N, E, accumulate);
              entropy_loss<float>(ctx, entropy, x, N, E);
              entropy_loss_backward<float>(ctx, d3, dloss, x, N, E, accumulate);
              return together(balance.vector(), variation.vector(), entropy.vector(), d1.vector(),
                              d2.vector(), d3.vector());
            },
            kFewRoundings);
    }
}

}  // namespace
}  // namespace moe
