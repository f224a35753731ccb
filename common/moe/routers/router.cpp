#include "common/moe/routers/router.hpp"

#include "common/moe/routers/base.hpp"
#include "common/moe/routers/bias_balanced.hpp"
#include "common/moe/routers/cosine.hpp"
#include "common/moe/routers/expert_choice.hpp"
#include "common/moe/routers/frozen.hpp"
#include "common/moe/routers/gshard.hpp"
#include "common/moe/routers/hash.hpp"
#include "common/moe/routers/hash_balanced.hpp"
#include "common/moe/routers/noisy_top_k.hpp"
#include "common/moe/routers/null_experts.hpp"
#include "common/moe/routers/remoe.hpp"
#include "common/moe/routers/sigmoid.hpp"
#include "common/moe/routers/sinkhorn.hpp"
#include "common/moe/routers/soft_moe.hpp"
#include "common/moe/routers/softmax_top_k.hpp"
#include "common/moe/routers/top_p.hpp"

namespace moe {
namespace {

std::vector<RouterParameter> no_parameters(const MoeConfig&, std::int64_t) {
  return {};
}

constexpr const char* kSoftmaxUses =
    "top_k renormalise balance_coefficient balance z_coefficient capacity_factor router_bits";

constexpr RouterRow rows[] = {
    {.name = "top_k",
     .summary = "softmax top-k (Mixtral, arXiv:2401.04088); dropless without a capacity",
     .causal = true,
     .batch_invariant = true,
     .uses = kSoftmaxUses,
     .make = make_top_k_router},
    {.name = "switch",
     .summary = "top-1 with capacity (Switch Transformer, arXiv:2101.03961)",
     .causal = true,
     .batch_invariant = false,
     .uses = "balance_coefficient balance z_coefficient capacity_factor router_bits",
     .resolve = resolve_switch,
     .make = make_top_k_router},
    {.name = "gshard",
     .summary = "top-2, the second by chance, with capacity (GShard, arXiv:2006.16668)",
     .causal = false,
     .batch_invariant = false,
     .uses = "balance_coefficient balance z_coefficient capacity_factor",
     .resolve = resolve_gshard,
     .make = make_gshard_router},
    {.name = "hash",
     .summary = "a fixed random function of the token id (Hash layers, arXiv:2106.04426)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k",
     .parameters = no_parameters,
     .make = make_hash_router},
    {.name = "frozen",
     .summary = "softmax top-k with random weights that never learn (SMoE-Dropout, arXiv:2303.01610)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k renormalise k_growth_steps",
     .make = make_frozen_router},
    {.name = "expert_choice",
     .summary = "each expert takes its best tokens; sees the future (Expert Choice, arXiv:2202.09368)",
     .causal = false,
     .batch_invariant = false,
     .uses = "top_k z_coefficient capacity_factor",
     .resolve = resolve_expert_choice,
     .make = make_expert_choice_router},
    {.name = "bias_balanced",
     .summary =
         "sigmoid scores, balanced by a bias without a loss, groups if asked (DeepSeek-V3, arXiv:2412.19437)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k groups kept_groups bias_rate gate_scale",
     .parameters = bias_balanced_parameters,
     .make = make_bias_balanced_router},
    {.name = "sinkhorn",
     .summary = "in training the K best of scores balanced by Sinkhorn's scaling (S-BASE, arXiv:2202.01169)",
     .causal = true,
     .batch_invariant = true,
     .compares_in_training = true,
     .uses = "top_k renormalise z_coefficient",
     .resolve = resolve_sinkhorn,
     .make = make_sinkhorn_router},
    {.name = "base",
     .summary = "in training an equal share of tokens for each expert, by auction on the host (BASE, "
                "arXiv:2103.16716)",
     .causal = true,
     .batch_invariant = true,
     .compares_in_training = true,
     .uses = "",
     .resolve = resolve_base,
     .make = make_base_router},
    {.name = "soft_moe",
     .summary =
         "experts work on mixtures of all tokens of a sequence; sees the future (Soft MoE, arXiv:2308.00951)",
     .causal = false,
     .batch_invariant = false,
     .exactly_k = false,
     .uses = "slots",
     .parameters = soft_moe_parameters,
     .work = soft_moe_work,
     .make = make_soft_moe_router},
    {.name = "noisy_top_k",
     .summary = "top-k of scores with learned noise in training (Shazeer 2017, arXiv:1701.06538)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k renormalise balance_coefficient",
     .parameters = noisy_top_k_parameters,
     .make = make_noisy_top_k_router},
    {.name = "sigmoid",
     .summary = "sigmoid scores, K best, weighed against each other (DeepSeek-V3 without its bias)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k renormalise balance_coefficient balance gate_scale",
     .make = make_sigmoid_router},
    {.name = "cosine",
     .summary = "scores by direction, in few dimensions (X-MoE, arXiv:2204.09179)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k renormalise balance_coefficient balance z_coefficient score_width",
     .resolve = resolve_cosine,
     .parameters = cosine_parameters,
     .make = make_cosine_router},
    {.name = "null_experts",
     .summary = "some choices are experts that do nothing (AdaMoE, arXiv:2406.13233)",
     .causal = true,
     .batch_invariant = true,
     .exactly_k = false,
     .uses = "top_k renormalise balance_coefficient balance z_coefficient null_experts",
     .resolve = resolve_null_experts,
     .parameters = null_experts_parameters,
     .make = make_null_experts_router},
    {.name = "top_p",
     .summary = "as many experts as it takes to be sure, at most K (arXiv:2403.07652)",
     .causal = true,
     .batch_invariant = true,
     .exactly_k = false,
     .uses = "top_k renormalise balance_coefficient balance z_coefficient entropy_coefficient threshold",
     .make = make_top_p_router},
    {.name = "remoe",
     .summary = "a ReLU instead of top-k, K experts on average (ReMoE, arXiv:2412.14711)",
     .causal = true,
     .batch_invariant = true,
     .exactly_k = false,
     .uses = "top_k sparsity_factor",
     .parameters = remoe_parameters,
     .make = make_remoe_router},
    {.name = "hash_balanced",
     .summary = "a table of the token id, even by how often ids occur (Hash layers, arXiv:2106.04426)",
     .causal = true,
     .batch_invariant = true,
     .uses = "top_k",
     .parameters = hash_balanced_parameters,
     .make = make_hash_balanced_router},
};

}  // namespace

std::span<const RouterRow> router_table() {
  return rows;
}

const RouterRow* find_router(std::string_view name) {
  for (const RouterRow& row : rows)
    if (name == row.name) return &row;
  return nullptr;
}

MoeConfig resolved(MoeConfig config) {
  const RouterRow* row = find_router(config.router);
  if (config.experts > 0 && row && row->resolve) row->resolve(config);
  return config;
}

std::vector<RouterParameter> router_parameters(const MoeConfig& asked, std::int64_t D) {
  const MoeConfig config = resolved(asked);
  const RouterRow* row = find_router(config.router);
  if (row && row->parameters) return row->parameters(config, D);
  return {{"weight", {config.experts, D}}};
}

std::unique_ptr<Router> make_router(Context& ctx, DType dtype, const MoeConfig& asked, std::int64_t D) {
  const MoeConfig config = resolved(asked);
  if (config.top_k < 1 || config.top_k > config.experts)
    throw UserError(ExitCode::usage, concat("--top-k ", config.top_k, " of ", config.experts, " experts"),
                    concat("choose 1 to ", config.experts));
  if (const RouterRow* row = find_router(config.router)) return row->make(ctx, dtype, config, D);
  std::string names;
  for (const RouterRow& row : rows) names += concat(names.empty() ? "" : ", ", row.name);
  throw UserError(ExitCode::usage, concat("no router is called '", config.router, "'"),
                  concat("there are: ", names));
}

}  // namespace moe
