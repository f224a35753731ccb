// What the tables of versions take from the .cu file. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/noisy_gate/noisy_gate.hpp"

namespace moe {

MOE_DEVICE_VERSION(NoisyScore<float>, noisy_score_naive)
MOE_DEVICE_VERSION(NoisyScoreBackward<float>, noisy_score_backward_naive)
MOE_DEVICE_VERSION(LoadProbability<float>, load_probability_naive)
MOE_DEVICE_VERSION(LoadProbabilityBackward<float>, load_probability_backward_naive)

}  // namespace moe
