#include "kernels/attention/versions.hpp"

namespace moe {
namespace {

constexpr Version<Attention<float>> forward_f32[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_plain<float>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_blocked<float>},
    MOE_DEVICE_ROWS("1_tiled", attention_tiled)};
constexpr Version<Attention<double>> forward_f64[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_plain<double>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_blocked<double>},
};
constexpr Version<AttentionBackward<float>> backward_f32[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_backward_plain<float>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_backward_blocked<float>},
    MOE_DEVICE_ROWS("1_tiled", attention_backward_tiled)};
constexpr Version<AttentionBackward<double>> backward_f64[] = {
    {"plain", DeviceKind::cpu, 0, detail::attention_backward_plain<double>},
    {"blocked", DeviceKind::cpu, 0, detail::attention_backward_blocked<double>},
};

}  // namespace

template <>
Operation<Attention<float>> attention<float>{"attention", forward_f32};
template <>
Operation<Attention<double>> attention<double>{"attention", forward_f64};
template <>
Operation<AttentionBackward<float>> attention_backward<float>{"attention_backward", backward_f32};
template <>
Operation<AttentionBackward<double>> attention_backward<double>{"attention_backward", backward_f64};

}  // namespace moe
