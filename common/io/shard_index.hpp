// model.safetensors.index.json: which file each tensor of a model lies in, when they are more than one.
//
//   {"metadata": {"total_size": 96},
//    "weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors", ...}}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace moe {

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kShardIndex = "model.safetensors.index.json";

using ShardMap = std::map<std::string, std::string, std::less<>>;  // tensor → file

// Throws UserError(bad_file), beginning with `source`, for what is no such index: no weight_map, a tensor twice, a file
// that is not a plain name ending in .safetensors. Other members are skipped.
ShardMap parse_shard_index(std::string_view text, const std::string& source);

std::string format_shard_index(const ShardMap& files, std::uint64_t total_bytes);

std::string shard_name(std::size_t number, std::size_t of);  // 1, 3: "model-00001-of-00003.safetensors"

}  // namespace moe
