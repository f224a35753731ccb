// Exercise dispatch_plan: `moe try dispatch_plan` tells how far it is. The task: README.md; stuck: `moe hint dispatch_plan`.
#include "contract.hpp"

std::int64_t expert_capacity(std::int64_t N, std::int64_t E, std::int64_t K, double factor) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)N, (void)E, (void)K, (void)factor;
  return -1;
}

void dispatch_plan(std::int32_t* offset, std::int32_t* token, std::int32_t* row, const std::int32_t* expert,
                   std::int64_t N, std::int64_t E, std::int64_t K, std::int64_t C) {
  // Your code.
  (void)offset, (void)token, (void)row, (void)expert, (void)N, (void)E, (void)K, (void)C;
}
