#include "common/convert/fewer_experts.hpp"

#include <map>

#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

using Parameters = std::map<std::string, Parameter*>;

Parameters parameters_of(LanguageModel& model) {
  Parameters all;
  model.visit([&](const std::string& name, Parameter& p) { all[name] = &p; });
  return all;
}
Parameters parameters_of(MoeLayer& layer) {
  Parameters all;
  layer.visit([&](const std::string& name, Parameter& p) { all[name] = &p; });
  return all;
}
ExpertWeights experts_of(const Parameters& layer) {
  return {layer.at("experts.gate_up.weight")->value, layer.at("experts.down.weight")->value};
}
DType dtype_of_model(const Parameters& parameters) {
  return parameters.begin()->second->value.dtype();
}
bool in_moe_layer(const std::string& name) {
  return name.find(".block_sparse_moe.") != std::string::npos;
}

void copy_values(const Parameters& to, const Parameters& from) {
  for (const auto& [name, p] : to)
    if (!in_moe_layer(name)) write_values(p->value, host_values(from.at(name)->value));
}

// What a row of the router is made of: (expert, share) of each.
using Mixture = std::vector<std::pair<std::int64_t, double>>;

void mix_router(const Parameters& to, const Parameters& from, const std::vector<Mixture>& rows) {
  for (const auto& [name, p] : to) {
    if (!name.starts_with("gate.")) continue;
    const std::vector<double> old = host_values(from.at(name)->value);
    const std::int64_t width = p->value.width();
    std::vector<double> values(static_cast<std::size_t>(p->value.numel()));
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (const auto& [expert, share] : rows[r])
        for (std::int64_t i = 0; i < width; ++i) values[r * width + i] += share * old[expert * width + i];
    write_values(p->value, values);
  }
}

void check_router(LanguageModel& model) {
  const MoeConfig& c = model.config().moe;
  if (c.experts == 0)
    throw UserError(ExitCode::usage, "a dense model has no experts to remove", "take a model with experts");
  if (c.groups > 1)
    throw UserError(ExitCode::usage,
                    concat("choice is limited to ", c.kept_groups, " of ", c.groups, " groups of experts"),
                    "removing experts would change the groups: take a model without them");
  const Parameters layer = parameters_of(*model.moe_layer(0));
  bool rows = false, others = false;
  for (const auto& [name, p] : layer) {
    if (!name.starts_with("gate.")) continue;
    const bool known = name == "gate.weight" || name == "gate.bias";
    (known && p->value.rows() == c.experts ? rows : others) = true;
  }
  if (layer.at("experts.down.weight")->value.rows() != c.experts)
    throw UserError(ExitCode::usage, "this model's experts are merged already",
                    "start from the model before");
  if (!rows || others)
    throw UserError(ExitCode::usage, concat("router '", c.router, "' is not made of one row for each expert"),
                    "removing experts is written for routers such as top_k, switch and bias_balanced");
}

void check_left(const LanguageModel& model, std::size_t left) {
  const MoeConfig& c = model.config().moe;
  if (static_cast<std::int64_t>(left) < c.top_k || left < 1)
    throw UserError(ExitCode::usage, concat(left, " experts are left, and a token visits ", c.top_k),
                    concat("keep at least ", c.top_k));
}

template <class List>
void check_layers(const LanguageModel& model, const List& lists) {
  MOE_CHECK(static_cast<std::int64_t>(lists.size()) == model.config().layers, lists.size(), " lists for ",
            model.config().layers, " layers");
  for (const auto& list : lists)
    MOE_CHECK(list.size() == lists[0].size(), list.size(), " and ", lists[0].size(), " experts");
}

// The model with E experts a layer, everything but the MoE layers filled in.
LanguageModel shell_of(Context& ctx, LanguageModel& model, std::int64_t E) {
  const Parameters from = parameters_of(model);
  LanguageModelConfig config = model.config();
  config.moe.experts = E;
  LanguageModel shell(ctx, config, dtype_of_model(from));
  copy_values(parameters_of(shell), from);
  return shell;
}

// Row by row: the outputs of one group side by side, or one output a group.
std::vector<Mixture> merged_rows(const ExpertGroups& groups, const std::vector<double>& count,
                                 RouterRows rows) {
  std::vector<Mixture> mixtures;
  for (const auto& group : groups) {
    const std::vector<double> share = shares_of(group, count);
    Mixture together;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (rows == RouterRows::kept) mixtures.push_back({{group[i], 1.0}});
      together.emplace_back(group[i], share[i]);
    }
    if (rows == RouterRows::merged) mixtures.push_back(together);
  }
  return mixtures;
}

std::unique_ptr<Experts> shared_experts(Context& ctx, const LanguageModelConfig& c, DType dtype,
                                        const ExpertGroups& groups) {
  std::vector<std::int32_t> first = {0};
  for (const auto& group : groups) first.push_back(first.back() + static_cast<std::int32_t>(group.size()));
  return std::make_unique<SharedExperts>(
      ctx,
      std::make_unique<LocalExperts>(ctx, dtype, static_cast<std::int64_t>(groups.size()), c.width,
                                     c.ffn_width),
      first);
}

}  // namespace

LanguageModel copy_of(Context& ctx, LanguageModel& model) {
  const Parameters from = parameters_of(model);
  LanguageModel copy(ctx, model.config(), dtype_of_model(from));
  for (const auto& [name, p] : parameters_of(copy)) write_values(p->value, host_values(from.at(name)->value));
  return copy;
}

LanguageModel pruned_model(Context& ctx, LanguageModel& model,
                           const std::vector<std::vector<std::int64_t>>& kept) {
  check_router(model);
  check_layers(model, kept);
  check_left(model, kept.empty() ? 0 : kept[0].size());
  LanguageModel result = shell_of(ctx, model, static_cast<std::int64_t>(kept[0].size()));
  for (std::size_t l = 0; l < kept.size(); ++l) {
    const Parameters from = parameters_of(*model.moe_layer(l)), to = parameters_of(*result.moe_layer(l));
    std::vector<Mixture> rows;
    for (const std::int64_t e : kept[l]) rows.push_back({{e, 1.0}});
    const ExpertWeights some = select_experts(experts_of(from), kept[l]);
    mix_router(to, from, rows);
    some.write(to.at("experts.gate_up.weight")->value, to.at("experts.down.weight")->value);
  }
  return result;
}

LanguageModel merged_model(Context& ctx, LanguageModel& model, const std::vector<ExpertGroups>& groups,
                           const std::vector<ExpertStatistics>& statistics, RouterRows rows) {
  check_router(model);
  check_layers(model, groups);
  MOE_CHECK(statistics.size() == groups.size(), statistics.size(), " statistics for ", groups.size(),
            " layers");
  const bool outputs_stay = rows == RouterRows::kept;
  check_left(model, outputs_stay ? static_cast<std::size_t>(model.config().moe.experts) : groups[0].size());
  LanguageModel result = shell_of(
      ctx, model, outputs_stay ? model.config().moe.experts : static_cast<std::int64_t>(groups[0].size()));
  for (std::size_t l = 0; l < groups.size(); ++l) {
    const Parameters from = parameters_of(*model.moe_layer(l));
    const ExpertWeights merged = merge_experts(experts_of(from), groups[l], statistics[l].count);
    if (outputs_stay)
      result.moe_layer(l)->replace_experts(
          shared_experts(ctx, model.config(), dtype_of_model(from), groups[l]));
    const Parameters to = parameters_of(*result.moe_layer(l));
    mix_router(to, from, merged_rows(groups[l], statistics[l].count, rows));
    merged.write(to.at("experts.gate_up.weight")->value, to.at("experts.down.weight")->value);
  }
  return result;
}

std::int64_t count_parameters(LanguageModel& model) {
  std::int64_t sum = 0;
  model.visit([&](const std::string&, Parameter& p) { sum += p.value.numel(); });
  return sum;
}

}  // namespace moe
