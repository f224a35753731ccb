// The MoE layer against exactly its matrix products: recorded from one pass, replayed alone on the same operands and threads.
#include "cli/measure/bench.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "common/moe/moe_layer.hpp"
#include "common/report/table.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/gemm/gemm_log.hpp"

namespace moe {
namespace {

struct LayerShape {
  std::int64_t N, D, F, E, K;
};

// Three layers of a transformer's size, then experts from 16 to 128 at the same work.
constexpr LayerShape kShapes[] = {
    {4096, 256, 512, 16, 2}, {2048, 512, 1024, 8, 2},  {4096, 256, 128, 64, 8},
    {8192, 256, 128, 16, 8}, {8192, 256, 128, 128, 8},
};

struct Measurement {
  double seconds, gemm_seconds, fraction, flops;
};

class LayerBench {
 public:
  LayerBench(Context& ctx, const LayerShape& s)
      : ctx_(ctx),
        layer_(ctx, DType::f32, {.experts = s.E, .top_k = s.K}, s.D, s.F),
        x_(normal_rows(s)),
        dy_(normal_rows(s)) {
    initialise(ctx, 1, [&](const ParameterVisitor& v) { layer_.visit(v); });
  }

  void forward_backward() {
    Tape tape(ctx_);
    LossSink losses;
    ForwardContext f{.ctx = ctx_, .tape = &tape, .training = true, .losses = &losses};
    std::vector<Tape::Root> roots = {{.value = layer_.forward(f, tape.watch(x_)), .gradient = dy_}};
    for (const LossSink::Item& item : losses.items) roots.push_back({item.loss, item.coefficient});
    tape.backward(roots);
    layer_.visit([](const std::string&, Parameter& p) { p.has_grad = false; });
  }

  Measurement measure(int pairs) {
    GemmLog log(ctx_.threads);
    forward_backward();  // touches the memory
    ctx_.gemm_log = &log;
    forward_backward();
    ctx_.gemm_log = nullptr;
    std::vector<double> whole, gemm, fraction;
    for (int i = 0; i < pairs; ++i) {
      whole.push_back(seconds_of([&] { forward_backward(); }));
      gemm.push_back(seconds_of([&] { log.replay(ctx_); }));
      fraction.push_back(gemm.back() / whole.back());
    }
    return {median(whole), median(gemm), median(fraction), log.flops()};
  }

 private:
  Tensor normal_rows(const LayerShape& s) {
    Tensor t = Tensor::empty(ctx_, DType::f32, {s.N, s.D});
    for (std::int64_t i = 0; i < t.numel(); ++i)
      t.data<float>()[i] = normal({.seed = 7}, static_cast<std::uint64_t>(i));
    return t;
  }

  Context& ctx_;
  MoeLayer layer_;
  Tensor x_, dy_;
};

}  // namespace

int bench_moe_layer_main(int argc, char** argv) {
  std::int64_t threads = this_machine().cores, pairs = 9;
  TableForm form;
  Flags flags("moe bench moe_layer",
              "Times an MoE layer (forward and backward, SwiGLU) against its matrix products alone.",
              "moe bench moe_layer\nmoe bench moe_layer --threads 1 --json");
  flags.add("--threads", threads, "threads", between(1, 1024));
  flags.add("--pairs", pairs, "interleaved pairs of layer and products; medians are printed",
            between(1, 1000));
  form.add_to(flags);
  flags.parse(argc, argv);

  Context ctx(static_cast<int>(threads));
  Table table({{"N"},
               {"D"},
               {"F"},
               {"E"},
               {"K"},
               {"threads"},
               {"seconds"},
               {"gemm_seconds"},
               {"fraction_of_gemm"},
               {"gflops"},
               {"speedup"}});
  for (const LayerShape& s : kShapes) {
    const Measurement m = LayerBench(ctx, s).measure(static_cast<int>(pairs));
    Context alone(1);  // speedup: over one thread
    const double one =
        threads == 1 ? m.seconds : LayerBench(alone, s).measure(static_cast<int>(pairs)).seconds;
    const auto whole = [](std::int64_t n) { return std::to_string(n); };
    table.row({whole(s.N), whole(s.D), whole(s.F), whole(s.E), whole(s.K), whole(threads),
               format_fixed(m.seconds, 4), format_fixed(m.gemm_seconds, 4), format_fixed(m.fraction, 3),
               format_fixed(m.flops / m.seconds / 1e9, 1), format_fixed(one / m.seconds, 2)});
  }
  return form.print(table);
}

}  // namespace moe
