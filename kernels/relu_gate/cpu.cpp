#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/relu_gate/row.hpp"
#include "kernels/relu_gate/versions.hpp"

namespace moe {
namespace {

template <class T>
void relu_choice_plain(Context& ctx, std::int32_t* expert, T* weight, const T* x, std::int64_t N,
                       std::int64_t E) {
  account(ctx, (2.0 * sizeof(T) + 4) * N * E);
  parallel_for(ctx, N * E, row_grain(2 * sizeof(T) + 4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) detail::relu_element(expert, weight, x, i, E);
  });
}

template <class T>
void relu_choice_backward_plain(Context& ctx, T* dx, const T* dweight, const std::int32_t* expert,
                                std::int64_t n) {
  account(ctx, (2.0 * sizeof(T) + 4) * n);
  parallel_for(ctx, n, row_grain(2 * sizeof(T) + 4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dx[i] = expert[i] < 0 ? T(0) : dweight[i];
  });
}

template <class T>
void load_factor_plain(Context& ctx, T* factor, const T* coefficient, const std::int32_t* count,
                       double wanted, std::int64_t E) {
  account(ctx, 4.0 * E);
  *factor = detail::factor_of_load(*coefficient, count, wanted, E);
}

template <class T>
void adapt_coefficient_plain(Context& ctx, T* coefficient, const std::int32_t* count, double wanted,
                             double step, std::int64_t E) {
  account(ctx, 4.0 * E);
  *coefficient = detail::adapted(*coefficient, count, wanted, step, E);
}

}  // namespace

MOE_TABLES(ReluChoice, relu_choice, relu_choice_plain)
MOE_TABLES(ReluChoiceBackward, relu_choice_backward, relu_choice_backward_plain)
MOE_TABLES(LoadFactor, load_factor, load_factor_plain)
MOE_TABLES(AdaptCoefficient, adapt_coefficient, adapt_coefficient_plain)

}  // namespace moe
