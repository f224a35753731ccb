#include "common/moe/routers/hash_balanced.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

#include "common/moe/routers/hash.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class HashBalanced final : public Router {
 public:
  HashBalanced(Context& ctx, DType dtype, const MoeConfig& config)
      : E_(config.experts),
        K_(config.top_k),
        table_(make_parameter(ctx, dtype, {config.vocabulary, config.top_k}, 0)) {
    table_.initial = -1;
    table_.on_frequencies = [this](std::span<const std::int64_t> frequency) { fill(frequency); };
  }

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows();
    const Tensor id = token_ids(f, N), expert = Tensor::empty(f.ctx, DType::i32, {N, K_});
    dispatch(table_.value.dtype(), [&]<class T>(T) {
      table_choice<T>(f.ctx, expert.data<std::int32_t>(), id.data<std::int32_t>(), table_.value.data<T>(),
                      table_.value.rows(), hash_key(f), {N, E_, K_});
    });
    return equal_shares(f, x, expert, E_);
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "table", table_);  // gets no gradient, so that no step moves it
  }

 private:
  void fill(std::span<const std::int64_t> frequency) {
    MOE_CHECK(static_cast<std::int64_t>(frequency.size()) == table_.value.rows(), frequency.size(),
              " counts for ", table_.value.rows(), " ids");
    const std::vector<std::int32_t> table = balanced_table(frequency, E_, K_);
    dispatch(table_.value.dtype(),
             [&]<class T>(T) { table_.value.write(std::vector<T>(table.begin(), table.end()).data()); });
  }

  std::int64_t E_, K_;
  Parameter table_;  // (V, K)
};

}  // namespace

std::vector<std::int32_t> balanced_table(std::span<const std::int64_t> frequency, std::int64_t E,
                                         std::int64_t K) {
  const auto V = static_cast<std::int64_t>(frequency.size());
  std::vector<std::int64_t> order(frequency.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return frequency[a] > frequency[b]; });
  using Expert = std::pair<std::int64_t, std::int32_t>;  // load in quarters, number: the least is on top
  std::priority_queue<Expert, std::vector<Expert>, std::greater<>> least;
  for (std::int32_t e = 0; e < E; ++e) least.push({0, e});
  std::vector<std::int32_t> table(static_cast<std::size_t>(V * K));
  std::vector<Expert> taken;
  for (const std::int64_t id : order) {
    taken.clear();
    for (std::int64_t k = 0; k < K; ++k) {
      taken.push_back(least.top());
      least.pop();
      table[id * K + k] = taken.back().second;
    }
    for (const auto& [load, e] : taken) least.push({load + std::max<std::int64_t>(1, 4 * frequency[id]), e});
  }
  return table;
}

std::unique_ptr<Router> make_hash_balanced_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t) {
  if (config.vocabulary < 1)
    throw UserError(ExitCode::usage,
                    "router 'hash_balanced' has a table of token ids, and no vocabulary to make it for",
                    "set MoeConfig::vocabulary; a language model does so itself");
  return std::make_unique<HashBalanced>(ctx, dtype, config);
}

std::vector<RouterParameter> hash_balanced_parameters(const MoeConfig& config, std::int64_t) {
  return {{"table", {config.vocabulary, config.top_k}}};
}

}  // namespace moe
