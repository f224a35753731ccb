#include "common/grade/worker/entry.hpp"
#include "exercises/01_overview/05_z_loss/contract.hpp"

MOE_ANSWER(z_loss, z_loss_gradient)
