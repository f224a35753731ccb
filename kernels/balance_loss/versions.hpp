// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/base/backends.hpp"

namespace moe {

MOE_DEVICE_VERSION(BalanceLoss<float>, balance_loss_naive)
MOE_DEVICE_VERSION(BalanceLossBackward<float>, balance_loss_backward_naive)
MOE_DEVICE_VERSION(SquaredVariation<float>, squared_variation_naive)
MOE_DEVICE_VERSION(SquaredVariationBackward<float>, squared_variation_backward_naive)
MOE_DEVICE_VERSION(EntropyLoss<float>, entropy_loss_naive)
MOE_DEVICE_VERSION(EntropyLossBackward<float>, entropy_loss_backward_naive)
MOE_DEVICE_VERSION(ZLoss<float>, z_loss_naive)
MOE_DEVICE_VERSION(ZLossBackward<float>, z_loss_backward_naive)

}  // namespace moe
