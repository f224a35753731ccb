#include "kernels/grouped_ffn/versions.hpp"

namespace moe {
namespace {

template <class T>
constexpr Version<GroupedFfn<T>> forward[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_plain<T>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_fused<T>},
};
template <class T>
constexpr Version<GroupedFfnBackward<T>> backward[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_backward_plain<T>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_backward_fused<T>},
};

}  // namespace

template <>
Operation<GroupedFfn<float>> grouped_ffn<float>{"grouped_ffn", forward<float>};
template <>
Operation<GroupedFfn<double>> grouped_ffn<double>{"grouped_ffn", forward<double>};
template <>
Operation<GroupedFfnBackward<float>> grouped_ffn_backward<float>{"grouped_ffn_backward", backward<float>};
template <>
Operation<GroupedFfnBackward<double>> grouped_ffn_backward<double>{"grouped_ffn_backward", backward<double>};

}  // namespace moe
