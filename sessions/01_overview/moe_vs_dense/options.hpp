// What `moe demo 1` can be told.
#pragma once

#include <string>

#include "sessions/01_overview/experiment/options.hpp"

namespace moe::session1 {

struct Options : LmOptions {
  Options() {
    out = "runs/moe_vs_dense";
    model = demo_model();
    train.steps = 2400;
  }
  std::int64_t sample_tokens = 240;  // a text that a model writes
  bool resume = false, trace = false, full = false;
  std::string command;         // as it was typed
  std::string resume_command;  // the same with --resume
};

Options parse_options(int argc, char** argv);

}  // namespace moe::session1
