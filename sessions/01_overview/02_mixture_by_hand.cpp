// Stage 1.2: two linear experts and a gate on a curve, as in 1991 (Jacobs, Jordan, Nowlan and Hinton, "Adaptive mixtures of
// local experts"), trained with two losses. One asks that the blend of the experts is right, the other that each expert is
// right where the gate trusts it.
//
//   moe stage 1.2
#include <cmath>

#include "common/app/format.hpp"
#include "common/app/main.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/mixture/mixture.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

constexpr std::int64_t kPoints = 128;
constexpr double kNoise = 0.05;

struct Run {
  const char* name;
  std::vector<MixtureState> states;
};

Plot experts_panel(const Run& run, const Curve2d& data) {
  const MixtureState& s = run.states.back();
  std::vector<double> blend;
  for (std::size_t i = 0; i < data.x.size(); ++i)
    blend.push_back(s.gate[i] * s.output[0][i] + (1 - s.gate[i]) * s.output[1][i]);
  return LinePlot{.title = concat(run.name, ": experts after ", s.step, " steps"),
                  .x_label = "x",
                  .y_label = "y",
                  .series = {{.label = "data", .x = data.x, .y = data.y, .colour = 6},
                             {.label = "expert 1", .x = data.x, .y = s.output[0], .colour = 0},
                             {.label = "expert 2", .x = data.x, .y = s.output[1], .colour = 1},
                             {.label = "blend", .x = data.x, .y = blend, .colour = 2, .dashed = true}},
                  .y_low = -2,
                  .y_high = 3};
}

Plot gate_panel(const Run& run, const Curve2d& data) {
  HeatMap map{
      .title = concat(run.name, ": how far expert 1 is trusted"), .row_name = "x", .column_name = "step"};
  for (const double x : data.x) map.rows.push_back(format_fixed(x, 1));
  for (const MixtureState& s : run.states) map.columns.push_back(std::to_string(s.step));
  for (std::size_t i = 0; i < data.x.size(); ++i)
    for (const MixtureState& s : run.states) map.values.push_back(s.gate[i]);
  return HeatMapPlot{.map = map,
                     .x_label = "step",
                     .y_label = "x",
                     .value_label = "gate of expert 1",
                     .x_low = 0,
                     .x_high = static_cast<double>(run.states.back().step)};
}

Exhibit exhibit_of(const std::vector<Run>& runs, const Curve2d& data) {
  Table table({{"loss", Align::left},
               {"error of the blend"},
               {"error of the trusted expert alone"},
               {concat("x tells of the expert (of ", format_fixed(std::log(2.0), 2), " nats)")}});
  std::vector<Plot> panels;
  for (const Run& run : runs) {
    const MixtureState& s = run.states.back();
    table.row({run.name, format_fixed(s.blend_error, 3), format_fixed(s.chosen_error, 3),
               format_fixed(s.information, 2)});
    panels.push_back(experts_panel(run, data));
    panels.push_back(gate_panel(run, data));
  }
  const MixtureState &co = runs[0].states.back(), &comp = runs[1].states.back();
  return {"mixture",
          table,
          {concat("Errors are rms over ", data.x.size(), " points; the noise in the data is ",
                  format_fixed(kNoise, 2), "."),
           concat("Leaving out the expert that is trusted less multiplies the error by ",
                  format_fixed(co.chosen_error / co.blend_error, 1), " (cooperative) and by ",
                  format_fixed(comp.chosen_error / comp.blend_error, 1), " (competitive).")},
          panels,
          2};
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    MixtureSettings settings;
    const StageOptions o = parse_stage_options(
        argc, argv,
        {.number = "1.2",
         .summary =
             "Two linear experts and a gate learn a curve, with a cooperative and with a competitive loss.",
         .examples = "moe stage 1.2\nmoe stage 1.2 --seed 2\nmoe stage 1.2 --sigma 1"},
        [&](Flags& flags) {
          flags.add("--steps", settings.steps, "optimiser steps", between(1, 100000));
          flags.add("--sigma", settings.sigma, "how far an expert may be from its points",
                    between(0.01, 100));
          flags.add("--lr", settings.learning_rate, "learning rate", between(1e-6, 1));
          flags.add("--seed", settings.seed, "seed of initial values and noise");
        });
    const Curve2d data = parabola(kPoints, kNoise, settings.seed);
    std::vector<Run> runs;
    for (const MixtureLoss loss : {MixtureLoss::cooperative, MixtureLoss::competitive}) {
      settings.loss = loss;
      runs.push_back(
          {loss == MixtureLoss::cooperative ? "cooperative" : "competitive", train_mixture(data, settings)});
    }
    return show(exhibit_of(runs, data), o);
  });
}
