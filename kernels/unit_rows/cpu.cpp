#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/unit_rows/row.hpp"
#include "kernels/unit_rows/versions.hpp"

namespace moe {
namespace {

template <class T>
void unit_rows_plain(Context& ctx, T* y, T* r, const T* x, std::int64_t R, std::int64_t C) {
  account(ctx, sizeof(T) * R * (2.0 * C + 1), 3.0 * R * C);
  parallel_for(ctx, R, row_grain(2 * C * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) detail::unit_row(y + i * C, r + i, x + i * C, C);
  });
}

template <class T>
void unit_rows_backward_plain(Context& ctx, T* dx, const T* dy, const T* y, const T* r, std::int64_t R,
                              std::int64_t C) {
  account(ctx, sizeof(T) * R * (3.0 * C + 1), 5.0 * R * C);
  parallel_for(ctx, R, row_grain(3 * C * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      detail::unit_row_backward(dx + i * C, dy + i * C, y + i * C, r[i], C);
  });
}

template <class T>
void tempered_plain(Context& ctx, T* y, const T* x, const T* t, std::int64_t n) {
  account(ctx, 2.0 * sizeof(T) * n, 1.0 * n);
  const T factor = detail::inverse_temperature(*t);
  for (std::int64_t i = 0; i < n; ++i) y[i] = factor * x[i];
}

template <class T>
void tempered_backward_plain(Context& ctx, T* dx, T* dt, const T* dy, const T* y, const T* t,
                             std::int64_t n) {
  account(ctx, 3.0 * sizeof(T) * n, 3.0 * n);
  const T factor = detail::inverse_temperature(*t);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    sum += static_cast<double>(dy[i]) * static_cast<double>(y[i]);
    dx[i] = factor * dy[i];
  }
  *dt = *t > T(detail::kMostLogTemperature) ? T(0) : static_cast<T>(sum);
}

}  // namespace

MOE_TABLES(UnitRows, unit_rows, unit_rows_plain)
MOE_TABLES(UnitRowsBackward, unit_rows_backward, unit_rows_backward_plain)
MOE_TABLES(Tempered, tempered, tempered_plain)
MOE_TABLES(TemperedBackward, tempered_backward, tempered_backward_plain)

}  // namespace moe
