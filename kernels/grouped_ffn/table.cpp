#include "kernels/grouped_ffn/versions.hpp"

namespace moe {
namespace {

constexpr Version<GroupedFfn<float>> forward_f32[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_plain<float>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_fused<float>},
    {"bf16", DeviceKind::cpu, 0, detail::grouped_ffn_bf16, DType::bf16},
    MOE_DEVICE_ROWS("0_library", grouped_ffn_library) MOE_DEVICE_ROWS("1_tiled", grouped_ffn_tiled)
        MOE_DEVICE_ROWS_FOR("2_mma", grouped_ffn_mma, 80, DType::bf16)};
constexpr Version<GroupedFfn<double>> forward_f64[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_plain<double>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_fused<double>},
};
constexpr Version<GroupedFfnBackward<float>> backward_f32[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_backward_plain<float>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_backward_fused<float>},
    {"bf16", DeviceKind::cpu, 0, detail::grouped_ffn_backward_bf16, DType::bf16},
    MOE_DEVICE_ROWS("0_library", grouped_ffn_backward_library)
        MOE_DEVICE_ROWS("1_tiled", grouped_ffn_backward_tiled)
            MOE_DEVICE_ROWS_FOR("2_mma", grouped_ffn_backward_mma, 80, DType::bf16)};
constexpr Version<GroupedFfnBackward<double>> backward_f64[] = {
    {"plain", DeviceKind::cpu, 0, detail::grouped_ffn_backward_plain<double>},
    {"fused", DeviceKind::cpu, 0, detail::grouped_ffn_backward_fused<double>},
};

}  // namespace

template <>
Operation<GroupedFfn<float>> grouped_ffn<float>{"grouped_ffn", forward_f32};
template <>
Operation<GroupedFfn<double>> grouped_ffn<double>{"grouped_ffn", forward_f64};
template <>
Operation<GroupedFfnBackward<float>> grouped_ffn_backward<float>{"grouped_ffn_backward", backward_f32};
template <>
Operation<GroupedFfnBackward<double>> grouped_ffn_backward<double>{"grouped_ffn_backward", backward_f64};

}  // namespace moe
