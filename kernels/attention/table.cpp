#include "kernels/attention/versions.hpp"

namespace moe {
namespace {

template <class T>
constexpr Version<Attention<T>> forward[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_plain<T>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_blocked<T>},
};
template <class T>
constexpr Version<AttentionBackward<T>> backward[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_backward_plain<T>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_backward_blocked<T>},
};

}  // namespace

template <>
Operation<Attention<float>> attention<float>{"attention", forward<float>};
template <>
Operation<Attention<double>> attention<double>{"attention", forward<double>};
template <>
Operation<AttentionBackward<float>> attention_backward<float>{"attention_backward", backward<float>};
template <>
Operation<AttentionBackward<double>> attention_backward<double>{"attention_backward", backward<double>};

}  // namespace moe
