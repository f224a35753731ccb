#include "common/grade/worker/entry.hpp"
#include "exercises/01_overview/02_dispatch_plan/contract.hpp"

MOE_ANSWER(expert_capacity, dispatch_plan)
