// Where a router's rows lie, and how much of the hidden states lies with them.
#pragma once

#include <vector>

#include "common/nn/language_model.hpp"

namespace moe::session1 {

// (E, D) of the last layer: the direction in hidden space that each expert looks along. A matrix (E, D) as it is; of a router that
// projects first, (E, S) and (S, D), their product. Empty for a router without rows.
std::vector<double> router_rows(LanguageModel& model);

// The part of the squared length of states (N, D), less their mean, that lies in the span of `rows` (R, D): 0 to 1.
double share_inside(const Tensor& states, const std::vector<double>& rows);

}  // namespace moe::session1
