// The layouts of a model's files: what config.json's keys and the tensors are called, and which models it can say.
//
//   moe      ours: every model. Mixtral's names (Llama's for a dense model); config.json has a part "moe_odyssey"
//   mixtral  softmax top-k experts, weights of the chosen renormalised (arXiv:2401.04088)
//   olmoe    softmax top-k experts, renormalised or not, norms of queries and keys (arXiv:2409.02060)
//   llama    dense (arXiv:2302.13971)
//
// The last three are what Hugging Face's transformers loads as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace moe {

enum class Layout : std::uint8_t { moe, mixtral, olmoe, llama };
inline constexpr Layout kLayouts[] = {Layout::moe, Layout::mixtral, Layout::olmoe, Layout::llama};

constexpr const char* name_of(Layout layout) {
  constexpr const char* kNames[] = {"moe", "mixtral", "olmoe", "llama"};
  return kNames[static_cast<int>(layout)];
}

constexpr std::optional<Layout> layout_of(std::string_view name) {
  for (const Layout layout : kLayouts)
    if (name == name_of(layout)) return layout;
  return std::nullopt;
}

}  // namespace moe
