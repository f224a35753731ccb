#include "kernels/dispatch/versions.hpp"

namespace moe {
namespace {

constexpr Version<DispatchRows<float>> rows_f32[] = {
    {"separate", DeviceKind::cpu, 0, detail::dispatch_rows_separate<float>},
    {"fused", DeviceKind::cpu, 0, detail::dispatch_rows_fused<float>},
    {"separate", DeviceKind::emulated, 0, detail::dispatch_rows_separate<float>},
    {"separate", DeviceKind::checked, 0, detail::dispatch_rows_separate<float>},
    {"separate", DeviceKind::cuda, 0, detail::dispatch_rows_separate<float>}};
constexpr Version<DispatchRows<double>> rows_f64[] = {
    {"separate", DeviceKind::cpu, 0, detail::dispatch_rows_separate<double>},
    {"fused", DeviceKind::cpu, 0, detail::dispatch_rows_fused<double>}};

}  // namespace

template <>
Operation<DispatchRows<float>> dispatch_rows<float>{"dispatch_rows", rows_f32};
template <>
Operation<DispatchRows<double>> dispatch_rows<double>{"dispatch_rows", rows_f64};

}  // namespace moe
