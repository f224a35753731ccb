// A router with random parameters, and its decisions in a form that tests can compare.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "common/moe/routers/router.hpp"
#include "tests/moe/support.hpp"

namespace moe::testing {

// Of each token: the experts it keeps, by rising number, with their weights.
using Decisions = std::vector<std::vector<std::pair<std::int32_t, double>>>;

struct Outcome {
  Decisions decisions;
  Routing routing;
  MetricSink metrics;
  LossSink losses;
};

struct Batch {
  std::int64_t D;
  std::vector<double> x;  // (N, D)
  std::vector<std::int32_t> id;
  std::int64_t N() const { return static_cast<std::int64_t>(id.size()); }

  Batch rows(const std::vector<std::int64_t>& which) const {
    Batch b{D, {}, {}};
    for (const std::int64_t n : which) {
      b.id.push_back(id[n]);
      b.x.insert(b.x.end(), x.begin() + n * D, x.begin() + (n + 1) * D);
    }
    return b;
  }
  Batch first(std::int64_t n) const {
    std::vector<std::int64_t> which(static_cast<std::size_t>(n));
    std::iota(which.begin(), which.end(), 0);
    return rows(which);
  }
};

inline Batch random_batch(std::int64_t N, std::int64_t D, std::uint64_t seed) {
  Batch b{D, random_normal<double>(N * D, seed), {}};
  for (std::int64_t n = 0; n < N; ++n)
    b.id.push_back(static_cast<std::int32_t>(philox({.seed = seed}, n)[1] % 256));
  return b;
}

// Of a dense plan: what of a token comes back to it through each expert, Σ over slots of combine·dispatch. It hangs on all
// tokens of the sequence.
template <class T>
Decisions shares_of(const DensePlan& plan, std::int64_t E) {
  const auto dispatch = values_of<T>(plan.dispatch.tensor), combine = values_of<T>(plan.combine.tensor);
  const std::int64_t N = plan.combine.tensor.rows(), M = plan.combine.tensor.size(-1),
                     T_ = N / plan.sequences;
  Decisions all(static_cast<std::size_t>(N));
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t e = 0; e < E; ++e) {
      double share = 0;
      for (std::int64_t m = e * (M / E); m < (e + 1) * (M / E); ++m)
        share += static_cast<double>(combine[n * M + m]) *
                 static_cast<double>(dispatch[(n / T_ * M + m) * T_ + n % T_]);
      all[n].emplace_back(static_cast<std::int32_t>(e), share);
    }
  return all;
}

template <class T>
Decisions decisions_of(const Routing& r, std::int64_t N, std::int64_t E) {
  if (r.dense) return shares_of<T>(*r.dense, E);
  Decisions all(static_cast<std::size_t>(N));
  const auto expert = values_of<std::int32_t>(r.expert);
  const auto weight = values_of<T>(r.weight.tensor);
  const auto token = r.per_token ? std::vector<std::int32_t>{} : values_of<std::int32_t>(r.token);
  for (std::size_t i = 0; i < expert.size(); ++i) {
    const std::size_t n =
        r.per_token ? i / static_cast<std::size_t>(r.per_token) : static_cast<std::size_t>(token[i]);
    if (expert[i] >= 0) all.at(n).emplace_back(expert[i], static_cast<double>(weight[i]));
  }
  for (auto& choices : all) std::sort(choices.begin(), choices.end());
  return all;
}

// Falling, as in text, with ids that never occur.
inline std::vector<std::int64_t> some_frequencies(std::int64_t V) {
  std::vector<std::int64_t> frequency;
  for (std::int64_t id = 0; id < V; ++id) frequency.push_back(id % 7 == 3 ? 0 : 10000 / (1 + id));
  return frequency;
}

template <class T>
struct RouterCase {
  Context& ctx;
  MoeConfig config;
  std::unique_ptr<Router> router;
  std::map<std::string, Parameter*> parameter;
  bool training = false;

  RouterCase(Context& context, const MoeConfig& asked, std::int64_t D, std::uint64_t seed = 1)
      : ctx(context), config(resolved(asked)), router(make_router(ctx, dtype_of<T>, asked, D)) {
    router->visit(
        [&](const std::string& name, Parameter& p) {
          auto values = random_normal<T>(p.value.numel(), seed++);
          if (name == "bias")  // as small as the steps that move it
            for (T& v : values) v *= T(0.01);
          p.value = tensor_of<T>(ctx, values, p.value.shape());
          if (p.on_frequencies) p.on_frequencies(some_frequencies(p.value.rows()));
          p.grad = tensor_of<T>(ctx, std::vector<T>(values.size(), T(NAN)), p.value.shape());
          parameter[name] = &p;
        },
        "");
  }

  TokenInfo tokens(const Batch& b) {
    return {.sequences = 1,
            .length = b.N(),
            .id = tensor_of(ctx, b.id, {b.N()}),
            .position = {},
            .sequence = {},
            .tag = {}};
  }
  Tensor input(const Batch& b) {
    return tensor_of<T>(ctx, std::vector<T>(b.x.begin(), b.x.end()), {b.N(), b.D});
  }

  Outcome route(const Batch& b) {
    Outcome o;
    const TokenInfo info = tokens(b);
    ForwardContext f{.ctx = ctx,
                     .seed = 7,
                     .step = 3,
                     .training = training,
                     .tokens = &info,
                     .losses = &o.losses,
                     .metrics = &o.metrics};
    o.routing = router->route(f, input(b));
    o.decisions = decisions_of<T>(o.routing, b.N(), config.experts);
    return o;
  }

  // Weights, losses, and the gradients of x and of every trained parameter: all that a pass computes, as one vector.
  std::vector<T> train(const Batch& b) {
    for (auto& [name, p] : parameter) p->has_grad = false;
    LossSink losses;
    const TokenInfo info = tokens(b);
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx,
                     .tape = &tape,
                     .seed = 7,
                     .step = 3,
                     .training = true,
                     .tokens = &info,
                     .losses = &losses};
    const Value x = tape.watch(input(b));
    const Routing r = router->route(f, x);
    std::vector<T> all = values_of<T>(r.weight.tensor);
    std::vector<Tape::Root> roots;
    if (r.weight.differentiable())
      roots.push_back({.value = r.weight,
                       .gradient = tensor_of<T>(ctx, random_normal<T>(r.weight.tensor.numel(), 5),
                                                r.weight.tensor.shape())});
    for (const LossSink::Item& item : losses.items) {
      roots.push_back({item.loss, item.coefficient});
      all.push_back(static_cast<T>(scalar_of(item.loss.tensor)));
    }
    if (roots.empty()) return all;
    tape.backward(roots);
    const auto append = [&](const Tensor& t) {
      const auto values = values_of<T>(t);
      all.insert(all.end(), values.begin(), values.end());
    };
    append(tape.gradient_of(x));
    for (auto& [name, p] : parameter)
      if (p->has_grad) append(p->grad);
    return all;
  }
};

// The same experts, and weights within `tolerance`.
inline ::testing::AssertionResult same(const Decisions& a, const Decisions& b, double tolerance = 1e-12) {
  if (a.size() != b.size()) return ::testing::AssertionFailure() << a.size() << " tokens, not " << b.size();
  for (std::size_t n = 0; n < a.size(); ++n) {
    if (a[n].size() != b[n].size())
      return ::testing::AssertionFailure()
             << "token " << n << ": " << a[n].size() << " experts, not " << b[n].size();
    for (std::size_t k = 0; k < a[n].size(); ++k)
      if (a[n][k].first != b[n][k].first || !(std::abs(a[n][k].second - b[n][k].second) <= tolerance))
        return ::testing::AssertionFailure()
               << "token " << n << ": expert " << a[n][k].first << " by " << a[n][k].second << ", not "
               << b[n][k].first << " by " << b[n][k].second;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace moe::testing
