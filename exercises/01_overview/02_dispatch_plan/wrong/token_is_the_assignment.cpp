// fails: HandCase SeveralChoices
// A row is given the number of its assignment, not of its token.
#include <algorithm>
#include <cmath>
#include <vector>

#include "contract.hpp"

std::int64_t expert_capacity(std::int64_t N, std::int64_t E, std::int64_t K, double factor) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(N * K) / static_cast<double>(E) * factor));
}

void dispatch_plan(std::int32_t* offset, std::int32_t* token, std::int32_t* row, const std::int32_t* expert,
                   std::int64_t N, std::int64_t E, std::int64_t K, std::int64_t C) {
  // Who stays: in the order of the list, while the expert has room.
  std::vector<std::int64_t> count(E);
  std::vector<bool> kept(N * K);
  for (std::int64_t a = 0; a < N * K; ++a)
    kept[a] = expert[a] >= 0 && count[expert[a]] < C && ++count[expert[a]];

  // Where each expert's rows begin.
  offset[0] = 0;
  for (std::int64_t e = 0; e < E; ++e) offset[e + 1] = offset[e] + static_cast<std::int32_t>(count[e]);

  // In list order again, so that the sort is stable.
  std::vector<std::int32_t> next(offset, offset + E);
  std::fill_n(token, N * K, -1);
  for (std::int64_t a = 0; a < N * K; ++a) {
    row[a] = kept[a] ? next[expert[a]]++ : -1;
    if (kept[a]) token[row[a]] = static_cast<std::int32_t>(a);
  }
}
