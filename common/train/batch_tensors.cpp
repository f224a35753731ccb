#include "common/train/batch_tensors.hpp"

namespace moe {

BatchTensors to_device(Context& ctx, const Batch& b) {
  const Shape n = {b.tokens()};
  std::vector<std::int32_t> tag(static_cast<std::size_t>(b.tokens()));
  for (std::size_t i = 0; i < tag.size(); ++i) tag[i] = b.domain[static_cast<std::size_t>(b.sequence[i])];
  return {{.sequences = b.sequences,
           .length = b.length,
           .id = tensor_of(ctx, b.id, n),
           .position = tensor_of(ctx, b.position, n),
           .sequence = tensor_of(ctx, b.sequence, n),
           .tag = tensor_of(ctx, tag, n),
           .first_token = b.first_token},
          tensor_of(ctx, b.target, n)};
}

}  // namespace moe
