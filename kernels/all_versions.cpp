#include "kernels/all_versions.hpp"

#include "kernels/adamw/adamw.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/base/operation.hpp"
#include "kernels/choice/choice.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"
#include "kernels/dispatch/dispatch.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/embedding/embedding.hpp"
#include "kernels/gate_losses/gate_losses.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/grouped_ffn/grouped_ffn.hpp"
#include "kernels/noisy_gate/noisy_gate.hpp"
#include "kernels/relu_gate/relu_gate.hpp"
#include "kernels/rms_norm/rms_norm.hpp"
#include "kernels/rope/rope.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/rows/rows.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"
#include "kernels/unit_rows/unit_rows.hpp"

namespace moe {
namespace {

template <class... Operations>
std::vector<VersionRow> rows_of(const Operations&... operations) {
  std::vector<VersionRow> rows;
  const auto add = [&](const auto& operation) {
    for (const auto& v : operation.versions())
      rows.push_back({operation.name(), v.name, v.device, v.min_sm, v.inputs});
  };
  (add(operations), ...);
  return rows;
}

}  // namespace

std::vector<VersionRow> all_versions() {
  return rows_of(
      gemm<float>, grouped_ffn<float>, grouped_ffn_backward<float>, top_k_gate<float>, dispatch_rows<float>,
      gate_losses<float>, histogram, sort_by_key, limit_per_key, look_up, gather_rows<float>,
      gather_rows_backward<float>, combine_rows<float>, combine_rows_backward<float>, weigh_choice<float>,
      weigh_choice_backward<float>, keep_by_chance<float>, hash_choice, table_choice<float>,
      keep_top_p<float>, group_keys, even_out_nulls, biased_score<float>, add_counts, move_bias<float>,
      sigmoid<float>, sigmoid_backward<float>, by_token<float>, transposed<float>, balance_loss<float>,
      balance_loss_backward<float>, squared_variation<float>, squared_variation_backward<float>,
      entropy_loss<float>, entropy_loss_backward<float>, noisy_score<float>, noisy_score_backward<float>,
      load_probability<float>, load_probability_backward<float>, unit_rows<float>, unit_rows_backward<float>,
      tempered<float>, tempered_backward<float>, relu_choice<float>, relu_choice_backward<float>,
      load_factor<float>, adapt_coefficient<float>, z_loss<float>, z_loss_backward<float>, sinkhorn<float>,
      softmax<float>, softmax_backward<float>, cross_entropy<float>, attention<float>,
      attention_backward<float>, rope<float>, rms_norm<float>, rms_norm_backward<float>, embedding<float>,
      embedding_backward<float>, fill<float>, add<float>, scale_by<float>, fill_normal<float>,
      add_squares<float>, round_mantissa<float>, adamw<float>);
}

}  // namespace moe
