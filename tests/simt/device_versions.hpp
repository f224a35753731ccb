// Every device version of an operation on every device that this build and machine have.
#pragma once

#include <map>
#include <string>

#include "kernels/base/operation.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe::testing {

// run(function, ctx) returns what a version with these inputs computed, as a std::vector<float>; check(result) looks at
// it. Fails unless a device gives the same bytes in every order and for every number of threads, and where no version ran
// although the device is new enough for one.
template <class Signature, class Run, class Check>
void each_device_version(const Operation<Signature>& operation, DType inputs, Run&& run, Check&& check) {
  std::map<std::string, std::vector<float>> first;
  every_device([&](Context& ctx) {
    ctx.matrix_inputs = inputs;
    int ran = 0, too_new = 0;
    for (const auto& row : operation.versions()) {
      if (row.device != ctx.device.kind || row.inputs != inputs) continue;
      if (row.min_sm > ctx.device.sm) {
        ++too_new;
        continue;
      }
      SCOPED_TRACE(concat(operation.name(), ", version ", row.name));
      ++ran;
      const std::vector<float> result = run(*row.function, ctx);
      const auto [place, is_first] = first.try_emplace(concat(row.name, name_of(ctx.device.kind)), result);
      if (is_first)
        check(result);
      else
        EXPECT_TRUE(same_bytes(result, place->second)) << "another order gives other bytes";
    }
    EXPECT_GT(ran + too_new, 0) << operation.name() << " has no version with " << name_of(inputs)
                                << " inputs here";
  });
}

template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace moe::testing
