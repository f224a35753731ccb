#include "common/io/hf_names.hpp"

#include <charconv>
#include <unordered_map>

namespace moe {
namespace {

// What a layout calls the MoE part of a block, and the matrices of an expert.
struct ExpertNames {
  const char *part, *gate, *up, *down;
};
constexpr ExpertNames kMixtral{"block_sparse_moe.", "w1", "w3", "w2"},
    kOlmoe{"mlp.", "gate_proj", "up_proj", "down_proj"};
constexpr std::string_view kPart = kMixtral.part;  // in our names

// Collects consecutive pieces of one packed tensor.
class Slices {
 public:
  void add(std::string name, Shape shape) {
    const std::int64_t count = element_count(shape);
    list_.push_back({std::move(name), next_, count, std::move(shape)});
    next_ += count;
  }
  std::vector<HfSlice> take() { return std::move(list_); }

 private:
  std::vector<HfSlice> list_;
  std::int64_t next_ = 0;
};

// The parameters of one layer, without the prefix.
std::vector<PackedParameter> layer_parameters(const LanguageModelConfig& c) {
  const std::int64_t D = c.width, F = c.ffn_width, E = c.moe.experts;
  const std::int64_t q = c.heads * c.head_width, kv = c.kv_heads * c.head_width;
  std::vector<PackedParameter> list = {{"input_layernorm.weight", {D}},
                                       {"self_attn.qkv_proj.weight", {q + 2 * kv, D}},
                                       {"self_attn.o_proj.weight", {D, q}},
                                       {"post_attention_layernorm.weight", {D}}};
  if (c.qk_norm)
    list.insert(list.begin() + 2, {{"self_attn.q_norm.weight", {q}}, {"self_attn.k_norm.weight", {kv}}});
  if (E > 0) {
    for (RouterParameter& p : router_parameters(c.moe, D))
      list.push_back({concat("block_sparse_moe.gate.", p.name), std::move(p.shape)});
    list.push_back({"block_sparse_moe.experts.gate_up.weight", {E, 2 * F, D}});
    list.push_back({"block_sparse_moe.experts.down.weight", {E, D, F}});
  } else {
    list.push_back({"mlp.gate_up.weight", {1, 2 * F, D}});
    list.push_back({"mlp.down.weight", {1, D, F}});
  }
  return list;
}

std::string prefix_of_layer(std::int64_t layer) {
  return "model.layers." + std::to_string(layer) + ".";
}

// "model.layers.{i}.rest": cuts `name` down to the rest and returns the prefix; returns "" for other names.
std::string split_layer(const LanguageModelConfig& c, std::string_view& name) {
  constexpr std::string_view kLayers = "model.layers.";
  if (!name.starts_with(kLayers)) return "";
  const char* const begin = name.data() + kLayers.size();
  const char* const end = name.data() + name.size();
  std::int64_t layer = -1;
  const auto [rest, error] = std::from_chars(begin, end, layer);
  MOE_CHECK(error == std::errc() && 0 <= layer && layer < c.layers && rest != end && *rest == '.',
            "layer of ", std::string(name));
  name.remove_prefix(static_cast<std::size_t>(rest + 1 - name.data()));
  return prefix_of_layer(layer);
}

PackedParameter find_parameter(const LanguageModelConfig& c, const std::string& prefix,
                               std::string_view rest) {
  if (prefix.empty()) {
    if (rest == "model.embed_tokens.weight") return {"", {c.vocabulary, c.width}};
    if (rest == "lm_head.weight" && !c.tied_head) return {"", {c.vocabulary, c.width}};
    if (rest == "model.norm.weight") return {"", {c.width}};
  } else {
    for (PackedParameter& p : layer_parameters(c))
      if (p.name == rest) return std::move(p);
  }
  fail_check("a parameter of this configuration", __FILE__, __LINE__, prefix + std::string(rest));
}

}  // namespace

std::vector<PackedParameter> packed_parameters(const LanguageModelConfig& c) {
  std::vector<PackedParameter> list = {{"model.embed_tokens.weight", {c.vocabulary, c.width}}};
  for (std::int64_t i = 0; i < c.layers; ++i)
    for (PackedParameter& p : layer_parameters(c))
      list.push_back({prefix_of_layer(i) + p.name, std::move(p.shape)});
  list.push_back({"model.norm.weight", {c.width}});
  if (!c.tied_head) list.push_back({"lm_head.weight", {c.vocabulary, c.width}});
  return list;
}

std::vector<HfSlice> hf_slices(const LanguageModelConfig& c, std::string_view name, Layout layout) {
  std::string_view rest = name;
  const std::string layer = split_layer(c, rest);
  const PackedParameter whole = find_parameter(c, layer, rest);
  const std::int64_t D = c.width, F = c.ffn_width, q = c.heads * c.head_width, kv = c.kv_heads * c.head_width;
  const ExpertNames& names = layout == Layout::olmoe ? kOlmoe : kMixtral;
  const auto expert = [&](std::int64_t e, const char* w) {
    return concat(layer, names.part, "experts.", e, ".", w, ".weight");
  };
  Slices slices;
  if (rest == "self_attn.qkv_proj.weight") {
    slices.add(layer + "self_attn.q_proj.weight", {q, D});
    slices.add(layer + "self_attn.k_proj.weight", {kv, D});
    slices.add(layer + "self_attn.v_proj.weight", {kv, D});
  } else if (rest == "mlp.gate_up.weight") {
    slices.add(layer + "mlp.gate_proj.weight", {F, D});
    slices.add(layer + "mlp.up_proj.weight", {F, D});
  } else if (rest == "mlp.down.weight") {
    slices.add(layer + "mlp.down_proj.weight", {D, F});
  } else if (rest == "block_sparse_moe.experts.gate_up.weight") {
    for (std::int64_t e = 0; e < c.moe.experts; ++e) {
      slices.add(expert(e, names.gate), {F, D});
      slices.add(expert(e, names.up), {F, D});
    }
  } else if (rest == "block_sparse_moe.experts.down.weight") {
    for (std::int64_t e = 0; e < c.moe.experts; ++e) slices.add(expert(e, names.down), {D, F});
  } else if (rest.starts_with(kPart)) {
    slices.add(concat(layer, names.part, rest.substr(kPart.size())), whole.shape);
  } else {
    slices.add(std::string(name), whole.shape);
  }
  return slices.take();
}

std::vector<HfSlice> hf_tensors(const LanguageModelConfig& config, Layout layout) {
  std::vector<HfSlice> all;
  for (const PackedParameter& p : packed_parameters(config))
    for (HfSlice& slice : hf_slices(config, p.name, layout)) all.push_back(std::move(slice));
  return all;
}

std::vector<NamedTensor> hf_views(const LanguageModelConfig& config, std::span<const NamedTensor> parameters,
                                  Layout layout) {
  std::unordered_map<std::string_view, const Tensor*> ours;
  for (const NamedTensor& p : parameters) MOE_CHECK(ours.emplace(p.name, &p.tensor).second, p.name, " twice");
  std::vector<NamedTensor> views;
  for (const PackedParameter& expected : packed_parameters(config)) {
    const auto found = ours.find(expected.name);
    MOE_CHECK(found != ours.end(), "no tensor for ", expected.name);
    const Tensor& tensor = *found->second;
    MOE_CHECK(tensor.shape() == expected.shape, expected.name, " ", to_string(tensor.shape()), ", expected ",
              to_string(expected.shape));
    const Tensor flat = tensor.reshape({tensor.numel()});
    for (HfSlice& slice : hf_slices(config, expected.name, layout))
      views.push_back({std::move(slice.name),
                       flat.slice_rows(slice.first, slice.first + slice.count).reshape(slice.shape)});
    ours.erase(found);
  }
  MOE_CHECK(ours.empty(), std::string(ours.begin()->first), " is no parameter of this configuration");
  return views;
}

FileSum write_model(const std::filesystem::path& path, const LanguageModelConfig& config,
                    std::span<const NamedTensor> parameters, const Metadata& metadata) {
  Metadata with_format = metadata;
  with_format.emplace("format", "pt");  // Hugging Face's loaders refuse a file that does not say so
  return write_tensors(path, hf_views(config, parameters), with_format);
}

Metadata read_model(const std::filesystem::path& path, const LanguageModelConfig& config,
                    std::span<const NamedTensor> parameters) {
  return read_tensors(path, hf_views(config, parameters));
}

}  // namespace moe
