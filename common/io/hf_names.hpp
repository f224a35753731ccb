// Our packed parameters and Hugging Face's names for them: the one table.
//
//   ours (per layer, "model.layers.{i}." in front)        theirs
//   self_attn.qkv_proj.weight             ((H+2G)W, D)    self_attn.q_proj (HW, D), .k_proj (GW, D), .v_proj (GW, D)
//   mlp.gate_up.weight                    (1, 2F, D)      mlp.gate_proj (F, D), mlp.up_proj (F, D)
//   mlp.down.weight                       (1, D, F)       mlp.down_proj (D, F)
//   block_sparse_moe.experts.gate_up.weight (E, 2F, D)    block_sparse_moe.experts.{e}.w1 (F, D), .w3 (F, D)
//   block_sparse_moe.experts.down.weight  (E, D, F)       block_sparse_moe.experts.{e}.w2 (D, F)
//
// OLMoE (Layout::olmoe) says mlp for block_sparse_moe, and gate_proj, up_proj, down_proj for w1, w3, w2. All others have
// one name and shape. Each of theirs is a contiguous piece of ours, so nothing is transposed or copied: writing and
// reading go through slices of our storage. lm_head.weight is absent when the head is tied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/io/layout.hpp"
#include "common/io/safetensors.hpp"
#include "common/nn/config.hpp"

namespace moe {

struct PackedParameter {
  std::string name;
  Shape shape;
};

struct HfSlice {
  std::string name;
  std::int64_t first, count;  // elements of the packed tensor
  Shape shape;
  bool operator==(const HfSlice&) const = default;
};

// All parameters of a model, in the order in which the model visits them.
std::vector<PackedParameter> packed_parameters(const LanguageModelConfig& config);

// What becomes of one of them, by rising `first`; together they cover it. Throws Error for a name that a
// model of this configuration does not have.
std::vector<HfSlice> hf_slices(const LanguageModelConfig& config, std::string_view name,
                               Layout layout = Layout::moe);

// All tensors of a model's files: the slices of all parameters, in order. Two layouts give as many, in the same order.
std::vector<HfSlice> hf_tensors(const LanguageModelConfig& config, Layout layout);

// Views of `parameters` under their names, which share the storage. `parameters` holds each parameter of the
// configuration once, with its name and shape; anything else is a programming error (Error).
std::vector<NamedTensor> hf_views(const LanguageModelConfig& config, std::span<const NamedTensor> parameters,
                                  Layout layout = Layout::moe);

// A file in our layout with hf_views(parameters).
FileSum write_model(const std::filesystem::path& path, const LanguageModelConfig& config,
                    std::span<const NamedTensor> parameters, const Metadata& metadata = {});

// Fills `parameters` (the same contract) from F32, F64, BF16 or F16. Tensors that are missing, surplus or of
// another shape are a UserError(bad_file) with their names; then nothing has been written. Returns the
// metadata.
Metadata read_model(const std::filesystem::path& path, const LanguageModelConfig& config,
                    std::span<const NamedTensor> parameters);

}  // namespace moe
