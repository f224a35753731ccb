// As many short rows at once as a register has lanes: their maxima and sums come out of one transposition each, where a row by
// itself adds up the lanes of its own vector one after another. Three passes over a row in place of five.
#include <algorithm>
#include <cmath>

#include "kernels/base/lanes.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/vector_math.hpp"
#include "kernels/softmax/row.hpp"
#include "kernels/softmax/versions.hpp"

namespace moe::detail {
namespace {

// Lane i of the result: the sum of row i's lanes, first to last.
Floats sums_of(Floats (&row)[kLanes]) {
  transpose(row);
  Floats sum = {};
  for (const Floats& lane : row) sum += lane;
  return sum;
}

Floats maxima_of(Floats (&row)[kLanes]) {
  transpose(row);
  Floats top = row[0];
  for (const Floats& lane : row) top = lane > top ? lane : top;
  return top;
}

// kLanes rows of kVectors registers each. top and sum: of each row.
template <int kVectors>
void softmax_rows(float* y, Floats& top, Floats& sum, const float* x) {
  constexpr int C = kVectors * kLanes;
  Floats of_row[kLanes];
  for (int r = 0; r < kLanes; ++r) {
    of_row[r] = Floats{} - INFINITY;  // passes over NaN; the sum meets it again
    for (int v = 0; v < kVectors; ++v) {
      const Floats here = load_lanes(x + r * C + v * kLanes);
      of_row[r] = here > of_row[r] ? here : of_row[r];
    }
  }
  top = maxima_of(of_row);
  for (int r = 0; r < kLanes; ++r) {
    of_row[r] = Floats{};
    for (int v = 0; v < kVectors; ++v) {
      const Floats e = exp_of_nonpositive<Words>(load_lanes(x + r * C + v * kLanes) - top[r]);
      of_row[r] += e;
      store_lanes(y + r * C + v * kLanes, e);
    }
  }
  sum = sums_of(of_row);
  const Floats factor = 1 / sum;
  for (int r = 0; r < kLanes; ++r)
    for (int v = 0; v < kVectors; ++v)
      store_lanes(y + r * C + v * kLanes, load_lanes(y + r * C + v * kLanes) * factor[r]);
}

// Any number of rows; logsumexp may be null.
template <int kVectors>
void all_rows(float* y, float* logsumexp, const float* x, std::int64_t R) {
  constexpr int C = kVectors * kLanes;
  Floats top, sum;
  for (std::int64_t r = 0; r < R; r += kLanes) {
    const std::int64_t rows = std::min<std::int64_t>(kLanes, R - r);
    if (rows == kLanes) {
      softmax_rows<kVectors>(y + r * C, top, sum, x + r * C);
    } else {  // a full block that repeats the last row, so that no row depends on how many there are
      float block[kLanes * C];
      for (std::int64_t i = 0; i < kLanes; ++i)
        std::copy_n(x + (r + std::min(i, rows - 1)) * C, C, block + i * C);
      softmax_rows<kVectors>(block, top, sum, block);
      std::copy_n(block, rows * C, y + r * C);
    }
    for (std::int64_t i = 0; logsumexp && i < rows; ++i) logsumexp[r + i] = top[i] + std::log(sum[i]);
  }
}

using AllRows = void(float*, float*, const float*, std::int64_t);
// Longer rows have enough vectors of their own.
AllRows* rows_of_width(std::int64_t C) {
  switch (C % kLanes == 0 ? C / kLanes : 0) {
    case 1:
      return all_rows<1>;
    case 2:
      return all_rows<2>;
    case 4:
      return all_rows<4>;
    default:
      return nullptr;
  }
}

}  // namespace

void softmax_lanes(Context& ctx, float* y, float* logsumexp, const float* x, std::int64_t R, std::int64_t C) {
  AllRows* const f = rows_of_width(C);
  if (!f) return softmax_plain(ctx, y, logsumexp, x, R, C);
  account(ctx, sizeof(float) * (2.0 * R * C + (logsumexp ? R : 0)), 5.0 * R * C);
  parallel_for(ctx, R, rows_in_cache<float>(C), [=](std::int64_t begin, std::int64_t end) {
    f(y + begin * C, logsumexp ? logsumexp + begin : nullptr, x + begin * C, end - begin);
  });
}

}  // namespace moe::detail
