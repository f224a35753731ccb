#include "common/moe/routers/router.hpp"

#include "common/moe/routers/bias_balanced.hpp"
#include "common/moe/routers/expert_choice.hpp"
#include "common/moe/routers/frozen.hpp"
#include "common/moe/routers/gshard.hpp"
#include "common/moe/routers/hash.hpp"
#include "common/moe/routers/softmax_top_k.hpp"

namespace moe {
namespace {

constexpr RouterRow rows[] = {
    {"top_k", "softmax top-k (Mixtral, arXiv:2401.04088); dropless without a capacity", true, true, nullptr,
     make_top_k_router},
    {"switch", "top-1 with capacity (Switch Transformer, arXiv:2101.03961)", true, false, resolve_switch,
     make_top_k_router},
    {"gshard", "top-2, the second by chance, with capacity (GShard, arXiv:2006.16668)", false, false,
     resolve_gshard, make_gshard_router},
    {"hash", "a fixed random function of the token id (Hash layers, arXiv:2106.04426)", true, true, nullptr,
     make_hash_router},
    {"frozen", "softmax top-k with random weights that never learn (SMoE-Dropout, arXiv:2303.01610)", true,
     true, nullptr, make_frozen_router},
    {"expert_choice", "each expert takes its best tokens; sees the future (Expert Choice, arXiv:2202.09368)",
     false, false, resolve_expert_choice, make_expert_choice_router},
    {"bias_balanced",
     "sigmoid scores, balanced by a bias without a loss, groups if asked (DeepSeek-V3, arXiv:2412.19437)",
     true, true, nullptr, make_bias_balanced_router},
};

}  // namespace

std::span<const RouterRow> router_table() {
  return rows;
}

MoeConfig resolved(MoeConfig config) {
  for (const RouterRow& row : rows)
    if (config.experts > 0 && config.router == row.name && row.resolve) row.resolve(config);
  return config;
}

std::unique_ptr<Router> make_router(Context& ctx, DType dtype, const MoeConfig& asked, std::int64_t D) {
  const MoeConfig config = resolved(asked);
  if (config.top_k < 1 || config.top_k > config.experts)
    throw UserError(ExitCode::usage, concat("--top-k ", config.top_k, " of ", config.experts, " experts"),
                    concat("choose 1 to ", config.experts));
  std::string names;
  for (const RouterRow& row : rows) {
    if (config.router == row.name) return row.make(ctx, dtype, config, D);
    names += concat(names.empty() ? "" : ", ", row.name);
  }
  throw UserError(ExitCode::usage, concat("no router is called '", config.router, "'"),
                  concat("there are: ", names));
}

}  // namespace moe
