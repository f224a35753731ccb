// Elements of the gradients: the arithmetic that the CPU and the kernels share. Private to this folder.
#pragma once

#include <cmath>

#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/base/host_device.hpp"

namespace moe::detail {

// d loss / d probability of every token in a group with these counts (E), for choices = Σ count.
MOE_HOST_DEVICE double balance_gradient(double dloss, std::int32_t count, double choices,
                                        const BalanceShape& s) {
  const double scale = choices * static_cast<double>(s.N);
  return scale == 0 ? 0 : dloss * static_cast<double>(s.E) * count / scale;
}

// The sums of x's columns, and of their squares.
struct Spread {
  double sum, squares;
};
// E·Σ s² / (Σ s)² - 1 = variance / mean².
MOE_HOST_DEVICE double variation(const Spread& spread, std::int64_t E) {
  const double together = spread.sum * spread.sum;
  return together == 0 ? 0 : static_cast<double>(E) * spread.squares / together - 1;
}
MOE_HOST_DEVICE double variation_gradient(double column, const Spread& spread, std::int64_t E) {
  const double together = spread.sum * spread.sum;
  return together == 0 ? 0 : 2 * static_cast<double>(E) * (column - spread.squares / spread.sum) / together;
}

template <class T>
MOE_HOST_DEVICE double entropy_term(T p) {
  return p == 0 ? 0 : -static_cast<double>(p) * std::log(static_cast<double>(p));
}
template <class T>
MOE_HOST_DEVICE T entropy_gradient(T p, T scale) {
  return p == 0 ? T(0) : -scale * (std::log(p) + 1);
}

}  // namespace moe::detail
