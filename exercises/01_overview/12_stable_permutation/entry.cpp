#include "exercises/01_overview/12_stable_permutation/contract.hpp"

// After the contract, which names the device.
#include "common/grade/worker/entry.hpp"

MOE_ANSWER(count_experts, scan_counts, scatter)
