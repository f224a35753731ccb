// What the tables of versions take from the .cu file. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/choice/choice.hpp"

namespace moe {

MOE_DEVICE_VERSION(WeighChoice<float>, weigh_choice_naive)
MOE_DEVICE_VERSION(WeighChoiceBackward<float>, weigh_choice_backward_naive)
MOE_DEVICE_VERSION(KeepByChance<float>, keep_by_chance_naive)
MOE_DEVICE_VERSION(HashChoice, hash_choice_naive)
MOE_DEVICE_VERSION(TableChoice<float>, table_choice_naive)
MOE_DEVICE_VERSION(KeepTopP<float>, keep_top_p_naive)
MOE_DEVICE_VERSION(GroupKeys, group_keys_naive)
MOE_DEVICE_VERSION(EvenOutNulls, even_out_nulls_naive)
MOE_DEVICE_VERSION(BiasedScore<float>, biased_score_naive)
MOE_DEVICE_VERSION(AddCounts, add_counts_naive)
MOE_DEVICE_VERSION(MoveBias<float>, move_bias_naive)
MOE_DEVICE_VERSION(Sigmoid<float>, sigmoid_naive)
MOE_DEVICE_VERSION(SigmoidBackward<float>, sigmoid_backward_naive)
MOE_DEVICE_VERSION(ByToken<float>, by_token_naive)
MOE_DEVICE_VERSION(Transposed<float>, transposed_float_naive)
MOE_DEVICE_VERSION(Transposed<std::int32_t>, transposed_int_naive)

}  // namespace moe
