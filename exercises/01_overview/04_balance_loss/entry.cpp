#include "common/grade/worker/entry.hpp"
#include "exercises/01_overview/04_balance_loss/contract.hpp"

MOE_ANSWER(balance_loss, balance_loss_gradient)
