#include "common/train/token_frequencies.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/base/check.hpp"

namespace moe {

std::vector<std::int64_t> token_frequencies(const Corpus& corpus, std::int64_t V) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(V));
  for (const Domain& domain : corpus.domains) {
    std::vector<std::int64_t> count(all.size());
    for (const Token id : domain.train) {
      MOE_CHECK(static_cast<std::int64_t>(id) < V, "token ", id, " of a vocabulary of ", V);
      ++count[id];
    }
    const double scale = 0x1p32 / static_cast<double>(std::max<std::size_t>(1, domain.train.size()));
    for (std::size_t id = 0; id < all.size(); ++id)
      if (count[id] > 0)
        all[id] += std::max<std::int64_t>(1, std::llround(static_cast<double>(count[id]) * scale));
  }
  return all;
}

}  // namespace moe
