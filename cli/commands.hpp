// The commands of `moe`. Each gets argc and argv from its own name on (argv[0] is "list", "generate", ...)
// and returns an exit code; errors are UserError. A new one: its function here, a row in cli/main.cpp, its
// own .cpp.
#pragma once

namespace moe {

int list_main(int argc, char** argv);       // sessions and stages
int stage_main(int argc, char** argv);      // becomes a stage program
int demo_main(int argc, char** argv);       // becomes the stage program that is a session's main job
int generate_main(int argc, char** argv);   // text from a checkpoint
int convert_main(int argc, char** argv);    // a model from one file layout to another
int tokenizer_main(int argc, char** argv);  // a byte-level BPE: train, encode, decode
int bench_main(int argc, char** argv);      // benchmarks: cli/bench.hpp
int figures_main(int argc, char** argv);    // reruns what made the recorded figures
int doctor_main(int argc, char** argv);     // what works on this machine
int start_main(int argc, char** argv);      // a work directory
int watch_main(int argc, char** argv);      // checks on save
int try_main(int argc, char** argv);        // one answer
int hint_main(int argc, char** argv);       // the next hint
int progress_main(int argc, char** argv);   // all exercises
int reset_main(int argc, char** argv);      // an answer as it was
int solution_main(int argc, char** argv);   // the reference
int grade_main(int argc, char** argv);      // all answers
int teach_main(int argc, char** argv);      // what a teacher needs
int targets_main(int argc, char** argv);    // for the launcher: the CMake targets that a command line runs

}  // namespace moe
