// A training run: progress on stderr, metrics.jsonl, evaluations, checkpoints, Ctrl-C, all in one directory.
#pragma once

#include "common/train/evaluation.hpp"
#include "common/train/trainer.hpp"

namespace moe {

struct RunOptions {
  std::filesystem::path directory;      // metrics.jsonl and checkpoint-XXXXXXXX/ go here
  bool resume = false;                  // go on from the newest checkpoint there, if there is one
  bool quiet = false;                   // no progress line
  std::int64_t log_every = 10;          // steps between lines of metrics.jsonl
  std::int64_t evaluations = 12;        // on held-out text, evenly spread; the last after the last step
  std::int64_t checkpoint_every = 300;  // steps
};

struct RunResult {
  bool finished = false;  // false: interrupted; a checkpoint of where it stopped was saved
  double seconds =
      0;  // spent in training steps, resumed runs included; evaluations and checkpoints are not counted
  Evaluation evaluation;  // after the last step
};

// Lines of metrics.jsonl:
//   steps        step, seconds, loss, aux, z, lr, gnorm, dropped, load_cv, max_violation, entropy, dead, tokens_per_second,
//                load_0 .. load_L-1 (assignments of each expert in that layer, this step)
//   evaluations  step, seconds, held_out (bits per byte, mean over domains), held_out_domains
RunResult train_run(Trainer& trainer, const HeldOut& held_out, const RunOptions& options);

}  // namespace moe
