// The learner's and the teacher's side of the exercises.
#include "common/app/main.hpp"
#include "cli/commands.hpp"
#include "cli/exercises/learn.hpp"
#include "cli/exercises/teach.hpp"

int main(int argc, char** argv) {
  constexpr moe::CommandRow kRows[] = {
      {"start", moe::start_main},       {"watch", moe::watch_main}, {"try", moe::try_main},
      {"hint", moe::hint_main},         {"reset", moe::reset_main}, {"progress", moe::progress_main},
      {"solution", moe::solution_main}, {"grade", moe::grade_main}, {"teach", moe::teach_main}};
  return moe::run_main([&] { return moe::run_command(kRows, argc, argv); });
}
