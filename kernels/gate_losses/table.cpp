#include "kernels/base/backends.hpp"
#include "kernels/gate_losses/versions.hpp"

namespace moe {
namespace {

constexpr Version<GateLosses<float>> losses_f32[] = {
    {"separate", DeviceKind::cpu, 0, detail::gate_losses_separate<float>},
    {"one_pass", DeviceKind::cpu, 0, detail::gate_losses_one_pass<float>},
    MOE_COMPOSED_ROWS("separate", detail::gate_losses_separate<float>)};
constexpr Version<GateLosses<double>> losses_f64[] = {
    {"separate", DeviceKind::cpu, 0, detail::gate_losses_separate<double>},
    {"one_pass", DeviceKind::cpu, 0, detail::gate_losses_one_pass<double>}};

}  // namespace

template <>
Operation<GateLosses<float>> gate_losses<float>{"gate_losses", losses_f32};
template <>
Operation<GateLosses<double>> gate_losses<double>{"gate_losses", losses_f64};

}  // namespace moe
