// What running CUDA kernels on the CPU costs: a matrix product of 256 x 256 x 256 on one thread, against three plain loops.
#include "cli/measure/bench.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/report/table.hpp"
#include "kernels/base/random.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe {
namespace {

constexpr std::int64_t kSize = 256;

// Median over `runs` of one version on one thread, operands in the device's memory.
double seconds_of_version(const Version<Gemm<float>>& version, std::int64_t runs) {
  Context ctx(Device{version.device}, 1);
  Scratch<float> a(ctx, kSize * kSize), b(ctx, kSize * kSize), c(ctx, kSize * kSize);
  std::vector<float> values(kSize * kSize);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = normal({.seed = 1}, i);
  for (float* operand : {a.data(), b.data()})
    ctx.allocator->copy_to_device(operand, values.data(), values.size() * sizeof(float));
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < runs; ++i)
    seconds.push_back(seconds_of(
        [&] { version.function(ctx, c.data(), a.data(), b.data(), gemm_shape(kSize, kSize, kSize)); }));
  return median(seconds);
}

bool of_interest(const Version<Gemm<float>>& version) {
  const std::string_view name = version.name;
  if (version.device == DeviceKind::cpu) return name == "plain";
  return version.device != DeviceKind::cuda && version.inputs == DType::f32 && name != "library";
}

}  // namespace

int bench_emulated_main(int argc, char** argv) {
  std::int64_t runs = 5;
  TableForm form;
  Flags flags(
      "moe bench emulated",
      "What running CUDA kernels on the CPU costs: a matrix product of 256 x 256 x 256 on one thread.",
      "moe bench emulated");
  flags.add("--runs", runs, "of each version; medians are printed", between(1, 1000));
  form.add_to(flags);
  flags.parse(argc, argv);

  Table table({{"version", Align::left}, {"device", Align::left}, {"ms"}, {"x plain loops"}});
  double plain = 0;  // the first row
  for (const auto& version : gemm<float>.versions()) {
    if (!of_interest(version)) continue;
    const double seconds = seconds_of_version(version, runs);
    if (version.device == DeviceKind::cpu) plain = seconds;
    table.row({version.name, name_of(version.device), format_fixed(1e3 * seconds, 1),
               format_fixed(seconds / plain, 2)});
  }
  return form.print(table);
}

}  // namespace moe
