// Benchmarks: `moe bench NAME`. Timed tests would fail on a busy machine; these print ratios taken within one run instead.
#pragma once

#include <functional>
#include <vector>

#include "common/app/flags.hpp"
#include "common/report/table.hpp"
#include "kernels/base/context.hpp"

namespace moe {

int bench_moe_layer_main(int argc, char** argv);
int bench_train_main(int argc, char** argv);
int bench_kernels_main(int argc, char** argv);
int bench_tokenizer_main(int argc, char** argv);
int bench_emulated_main(int argc, char** argv);
int bench_floors_main(int argc, char** argv);
int bench_ptxas_main(int argc, char** argv);
int bench_traffic_main(int argc, char** argv);

// What every benchmark prints: a table, or with --json or --markdown the same for a program or a document.
struct TableForm {
  bool json = false, markdown = false;
  void add_to(Flags& flags);
  bool is_terminal() const { return !json && !markdown; }
  int print(const Table& table) const;  // the exit code, 0
};

double seconds_of(const std::function<void()>& work);
double median(std::vector<double> values);

// Bytes read and written a second by a copy of 64 MiB with the context's threads: the yardstick of operations that only
// move data.
double copy_bandwidth(Context& ctx);

}  // namespace moe
