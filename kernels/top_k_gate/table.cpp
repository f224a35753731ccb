#include "kernels/top_k_gate/versions.hpp"

namespace moe {
namespace {

constexpr auto kCpu = DeviceKind::cpu;

constexpr Version<TopKGate<float>> forward_f32[] = {
    {"insertion", kCpu, 0, detail::top_k_gate_insertion<float>},
    {"selection", kCpu, 0, detail::top_k_gate_selection<float>},
    {"lanes", kCpu, 0, detail::top_k_gate_lanes},
    MOE_DEVICE_ROWS("1_naive", top_k_gate_naive)};
constexpr Version<TopKGate<double>> forward_f64[] = {
    {"insertion", kCpu, 0, detail::top_k_gate_insertion<double>},
    {"selection", kCpu, 0, detail::top_k_gate_selection<double>}};

}  // namespace

template <>
Operation<TopKGate<float>> top_k_gate<float>{"top_k_gate", forward_f32};
template <>
Operation<TopKGate<double>> top_k_gate<double>{"top_k_gate", forward_f64};

}  // namespace moe
