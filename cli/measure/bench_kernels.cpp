// Every version of the operations that have more than one: the ladder from the textbook to the fast one, in numbers.
#include <algorithm>
#include <vector>

#include "cli/measure/bench.hpp"
#include "cli/measure/operations.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "common/report/table.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/base/random.hpp"
#include "kernels/dispatch/dispatch.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/gate_losses/gate_losses.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/grouped_ffn/grouped_ffn.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe {
namespace {

constexpr double kLeastSeconds = 0.05;  // a measurement repeats its work until it took this long

// Median of five measurements, seconds a call.
double seconds_a_call(const std::function<void()>& work) {
  work();  // touches the memory
  const double once = seconds_of(work);
  const int calls = std::max(1, static_cast<int>(kLeastSeconds / once));
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i)
    seconds.push_back(seconds_of([&] {
                        for (int c = 0; c < calls; ++c) work();
                      }) /
                      calls);
  return median(seconds);
}

class KernelBench {
 public:
  explicit KernelBench(Context& ctx) : ctx_(ctx) {}

  // One row a version; `call` runs a version's function. flops 0: nothing worth counting.
  template <class Signature>
  void versions(const Operation<Signature>& operation, const std::string& shape, double flops,
                const std::function<void(Signature*)>& call) {
    double first = 0;
    for (const auto& version : operation.versions()) {
      if (version.device != ctx_.device.kind || version.inputs != ctx_.matrix_inputs) continue;
      const double seconds = seconds_a_call([&] { call(version.function); });
      if (first == 0) first = seconds;
      table_.row({operation.name(), shape, version.name, format_fixed(1e6 * seconds, 1),
                  flops > 0 ? format_fixed(flops / seconds / 1e9, 1) : "", format_fixed(first / seconds, 1)});
    }
    table_.rule();
  }

  void gemm_versions(std::int64_t M, std::int64_t N, std::int64_t K) {
    std::vector<float> a = numbers(M * K), b = numbers(K * N), c(static_cast<std::size_t>(M * N));
    const GemmShape s = gemm_shape(M, N, K, Transpose::no, Transpose::yes);
    versions(gemm<float>, concat(M, " × ", N, " × ", K), 2.0 * M * N * K,
             std::function([&](Gemm<float>* f) { f(ctx_, c.data(), a.data(), b.data(), s); }));
  }

  void ffn_versions(const FfnShape& s) {
    const std::vector<float> x = numbers(s.A * s.D), gate_up = numbers(2 * s.E * s.F * s.D),
                             down = numbers(s.E * s.D * s.F);
    std::vector<float> y(x.size());
    std::vector<std::int32_t> offset;
    for (std::int64_t e = 0; e <= s.E; ++e) offset.push_back(static_cast<std::int32_t>(s.A * e / s.E));
    versions(grouped_ffn<float>, concat("A=", s.A, " E=", s.E, " D=", s.D, " F=", s.F), 6.0 * s.A * s.D * s.F,
             std::function([&](GroupedFfn<float>* f) {
               f(ctx_, y.data(), nullptr, x.data(), {gate_up.data(), down.data()}, offset.data(), s);
             }));
  }

  void attention_versions(std::int64_t B, std::int64_t T, std::int64_t H, std::int64_t W) {
    const std::int64_t ld = H * W, n = B * T * ld;
    const std::vector<float> q = numbers(n), k = numbers(n), v = numbers(n);
    std::vector<float> o(q.size());
    const AttentionShape s{B, T, T, H, H, W, ld, ld, ld, T};
    versions(attention<float>, concat("B=", B, " T=", T, " H=", H, " W=", W), 2.0 * B * H * T * (T + 1) * W,
             std::function(
                 [&](Attention<float>* f) { f(ctx_, o.data(), nullptr, q.data(), k.data(), v.data(), s); }));
  }

  void top_k_versions(std::int64_t N, std::int64_t E, std::int64_t K) {
    const std::vector<float> score = numbers(N * E);
    std::vector<float> weight(static_cast<std::size_t>(N * K));
    std::vector<std::int32_t> expert(weight.size());
    versions(top_k_gate<float>, concat("N=", N, " E=", E, " K=", K), 0,
             std::function([&](TopKGate<float>* f) {
               f(ctx_, expert.data(), weight.data(), score.data(), {N, E, K, false});
             }));
  }

  void softmax_versions(std::int64_t N, std::int64_t E) {
    const std::vector<float> score = numbers(N * E);
    std::vector<float> probability(score.size()), logsumexp(static_cast<std::size_t>(N));
    versions(softmax<float>, concat("N=", N, " E=", E), 0, std::function([&](Softmax<float>* f) {
               f(ctx_, probability.data(), logsumexp.data(), score.data(), N, E);
             }));
  }

  void routing_versions(const DispatchShape& s) {
    const std::vector<float> x = numbers(s.N * s.D), probability = numbers(s.N * s.E);
    std::vector<float> rows(static_cast<std::size_t>(s.N * s.K * s.D)), losses(2);
    const std::vector<std::int32_t> expert = choices(s.N * s.K, s.E);
    std::vector<std::int32_t> offset(static_cast<std::size_t>(s.E + 1)), row(expert.size());
    const std::string shape = concat("N=", s.N, " E=", s.E, " K=", s.K);
    versions(dispatch_rows<float>, concat(shape, " D=", s.D), 0, std::function([&](DispatchRows<float>* f) {
               f(ctx_, rows.data(), offset.data(), row.data(), x.data(), expert.data(), s);
             }));
    versions(gate_losses<float>, shape, 0, std::function([&](GateLosses<float>* f) {
               f(ctx_, offset.data(), &losses[0], &losses[1], probability.data(), x.data(), expert.data(),
                 {s.N, s.E, s.K});
             }));
  }

  const Table& table() const { return table_; }

 private:
  std::vector<float> numbers(std::int64_t n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    fill_normal<float>(ctx_, x.data(), 1, {.seed = 1}, n);
    return x;
  }

  static std::vector<std::int32_t> choices(std::int64_t n, std::int64_t E) {
    std::vector<std::int32_t> expert;
    for (std::int64_t i = 0; i < n; ++i)
      expert.push_back(static_cast<std::int32_t>(philox({.seed = 2}, static_cast<std::uint64_t>(i))[0] %
                                                 static_cast<std::uint32_t>(E)));
    return expert;
  }

  Context& ctx_;
  Table table_{{{"operation", Align::left},
                {"shape", Align::left},
                {"version", Align::left},
                {"µs a call"},
                {"GFLOP/s"},
                {"× the first"}}};
};

}  // namespace

int bench_kernels_main(int argc, char** argv) {
  std::int64_t threads = this_machine().cores;
  bool list = false;
  TableForm form;
  Flags flags("moe bench kernels", "Times every version of the operations that have more than one.",
              "moe bench kernels\nmoe bench kernels --threads 1 --json");
  flags.add("--threads", threads, "threads", between(1, 1024));
  flags.add("--list", list, "only name all operations and their versions");
  form.add_to(flags);
  flags.parse(argc, argv);
  if (list) return form.print(table_of_versions());

  Context ctx(static_cast<int>(threads));
  KernelBench bench(ctx);
  bench.gemm_versions(1024, 1024, 1024);
  bench.gemm_versions(2048, 192, 64);
  bench.ffn_versions({2048, 16, 256, 128});
  bench.attention_versions(16, 128, 2, 32);
  bench.top_k_versions(4096, 32, 2);
  bench.top_k_versions(4096, 64, 8);
  bench.softmax_versions(2048, 32);
  bench.routing_versions({2048, 2, 64, 32});
  return form.print(bench.table());
}

}  // namespace moe
