// How alike experts, hidden states and decisions are: numbers about redundancy and collapse. On the host, at log time.
#pragma once

#include <cstdint>
#include <vector>

#include "common/tensor/tensor.hpp"

namespace moe {

// exp(entropy of the normalised singular values) of the rows minus their mean (Roy and Vetterli 2007): about how many
// directions they use, 1 to min(N, D); 0 where all rows are the same or there are none. NaN where one is in rows. rows
// (N, D). Cost: N·D² + 10·D³, in double.
double effective_rank(const Tensor& rows);

// (R, R), row by row: the cosine of each pair of rows; 0 with a row of zeros. x (R, ...): of a router's weight (E, D) how
// near its experts lie, of experts' matrices (E, O, I) how alike they are as they stand, neurons not aligned.
std::vector<double> cosine_similarity(const Tensor& x);

// The mean of an (R, R) matrix off its diagonal; 0 for R < 2.
double mean_off_diagonal(const std::vector<double>& matrix);

// Router saturation (OLMoE, arXiv:2409.02060, section 5.1): of the experts that tokens are given in `later`, the share that they were
// given in `earlier` too. Both (N, K) i32, of the same tokens; -1 is no expert. 0 where there are none.
double saturation(const Tensor& earlier, const Tensor& later);

// Co-activation (OLMoE, section 5.2): (E, E), row i column j the share of the tokens of expert i that visit j, too; 1 on
// the diagonal, a row of zeros for an expert without tokens. expert (N, K) i32.
std::vector<double> co_activation(const Tensor& expert, std::int64_t E);

}  // namespace moe
