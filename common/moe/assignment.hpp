// Balanced assignment: every row gets one column, every column a given number of rows, for the greatest total score.
// What BASE layers route by (rows are tokens, columns experts) and what aligns the neurons of two experts (one to one).
//
// By the auction algorithm for similar objects with scaling of epsilon (Bertsekas and Castañon, "The auction algorithm for
// the transportation problem", 1989): a row without a place bids for the column that it likes best at today's prices,
// as much as makes it indifferent to its second best, and puts out whoever holds the column's cheapest place. On the host, on
// one thread: bids depend on each other. About 10 to 30 bids a row, each O(E + log capacity).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moe {

// (E) that sum to N: N / E each; the N mod E columns that most rows score highest take one more, the lower of equals first.
std::vector<std::int64_t> even_capacity(std::span<const double> score /*(N, E)*/, std::int64_t N,
                                        std::int64_t E);

// The column of each row (N): column e gets capacity[e] rows, and the total score is within N·epsilon of the greatest
// possible. score (N, E); what is not finite counts as the lowest finite score. epsilon > 0, at least 1e-12 of the scores'
// range to be kept in doubles. Σ capacity = N.
std::vector<std::int32_t> balanced_assignment(std::span<const double> score, std::int64_t N,
                                              std::span<const std::int64_t> capacity, double epsilon);

}  // namespace moe
