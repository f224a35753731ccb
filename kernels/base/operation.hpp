// Operation: one signature, several versions in one table. Tests and benchmarks loop over the table; a call
// takes the last row that suits the context's device (rows stand from plain to fast; those with bf16 inputs last), or the
// one that ctx.chosen names.
//
//   rms_norm.hpp   template <class T> using RmsNorm = void(Context&, T* y, ...);
//                  template <class T> extern Operation<RmsNorm<T>> rms_norm;
//   cpu.cpp        template <> Operation<RmsNorm<float>> rms_norm<float>{"rms_norm", versions<float>};
//   a caller       rms_norm<T>(ctx, y, ...);
#pragma once

#include <span>

#include "kernels/base/check.hpp"
#include "kernels/base/context.hpp"
#include "kernels/base/trace.hpp"

namespace moe {

template <class Signature>
struct Version {
  const char* name;  // "plain", "fast", "1_naive", ...
  DeviceKind device;
  int min_sm;  // compute capability × 10 for CUDA rows, 0 elsewhere
  Signature* function;
  DType inputs = DType::f32;  // bf16: only for contexts whose matrix_inputs are bf16
};

template <class Signature>
class Operation;

template <class... Arguments>
class Operation<void(Context&, Arguments...)> {
 public:
  using Row = Version<void(Context&, Arguments...)>;
  constexpr Operation(const char* name, std::span<const Row> versions) : name_(name), versions_(versions) {}

  // Immutable, so that a non-const global is as good as a const one: GCC 12 gives const specialisations of a variable
  // template internal linkage (CWG 2387).
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  const char* name() const { return name_; }
  std::span<const Row> versions() const { return versions_; }

  void operator()(Context& ctx, Arguments... arguments) const {
    Scope scope(ctx, name_);
    best(ctx).function(ctx, arguments...);
  }

 private:
  static bool suits(const Row& row, const Context& ctx) {
    return row.device == ctx.device.kind && row.min_sm <= ctx.device.sm &&
           (row.inputs == DType::f32 || row.inputs == ctx.matrix_inputs);
  }
  const Row& best(Context& ctx) const {
    for (const ChosenVersion& chosen : ctx.chosen)
      if (chosen.operation == name_) return named(ctx, chosen.version);
    for (std::size_t i = versions_.size(); i-- > 0;)
      if (suits(versions_[i], ctx)) return versions_[i];
    fail_check("a version for this device", __FILE__, __LINE__,
               concat(name_, " on ", name_of(ctx.device.kind)));
  }
  const Row& named(Context& ctx, const std::string& version) const {
    std::string names;
    for (const Row& row : versions_) {
      if (!suits(row, ctx)) continue;
      if (version == row.name) return row;
      names += concat(names.empty() ? "" : ", ", row.name);
    }
    throw UserError(ExitCode::usage,
                    concat(name_, " has no version '", version, "' on ", name_of(ctx.device.kind)),
                    concat("there are: ", names));
  }

  const char* name_;
  std::span<const Row> versions_;
};

}  // namespace moe
