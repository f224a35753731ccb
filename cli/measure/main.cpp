// What looks at this machine: `moe bench`, `moe doctor`, `moe figures`.
#include "common/app/main.hpp"
#include "cli/commands.hpp"
#include "cli/measure/measure.hpp"

int main(int argc, char** argv) {
  constexpr moe::CommandRow kRows[] = {
      {"bench", moe::bench_main}, {"doctor", moe::doctor_main}, {"figures", moe::figures_main}};
  return moe::run_main([&] { return moe::run_command(kRows, argc, argv); });
}
