#include "kernels/base/backends.hpp"
#include "kernels/dispatch/versions.hpp"

namespace moe {
namespace {

constexpr Version<DispatchRows<float>> rows_f32[] = {
    {"separate", DeviceKind::cpu, 0, detail::dispatch_rows_separate<float>},
    {"fused", DeviceKind::cpu, 0, detail::dispatch_rows_fused<float>},
    MOE_COMPOSED_ROWS("separate", detail::dispatch_rows_separate<float>)};
constexpr Version<DispatchRows<double>> rows_f64[] = {
    {"separate", DeviceKind::cpu, 0, detail::dispatch_rows_separate<double>},
    {"fused", DeviceKind::cpu, 0, detail::dispatch_rows_fused<double>}};

}  // namespace

template <>
Operation<DispatchRows<float>> dispatch_rows<float>{"dispatch_rows", rows_f32};
template <>
Operation<DispatchRows<double>> dispatch_rows<double>{"dispatch_rows", rows_f64};

}  // namespace moe
