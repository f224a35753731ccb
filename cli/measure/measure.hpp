// The commands of this program.
#pragma once

namespace moe {

int bench_main(int argc, char** argv);    // benchmarks: cli/measure/bench.hpp
int figures_main(int argc, char** argv);  // reruns what made the recorded figures
int doctor_main(int argc, char** argv);   // what works on this machine

}  // namespace moe
