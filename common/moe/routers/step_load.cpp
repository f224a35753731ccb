#include "common/moe/routers/step_load.hpp"

#include "kernels/choice/choice.hpp"

namespace moe {

void StepLoad::add(Context& ctx, const Tensor& more, std::int64_t more_tokens) {
  const Tensor sum = Tensor::empty(ctx, DType::i32, more.shape());
  sum.copy_from(more);
  if (count.defined()) add_counts(ctx, sum.data<std::int32_t>(), count.data<std::int32_t>(), sum.numel());
  count = sum;
  tokens += more_tokens;
}

}  // namespace moe
