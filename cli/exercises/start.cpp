// moe start: the learner's work directory.
#include <cstdio>
#include <filesystem>

#include "cli/exercises/learn.hpp"
#include "cli/exercises/workspace.hpp"
#include "common/app/flags.hpp"

namespace moe {

int start_main(int argc, char** argv) {
  std::string directory = "moe-work";
  Flags flags("moe start", "Makes a directory with your answers to the exercises.", "moe start ~/moe-work");
  flags.add("directory", directory, "where; an existing one gets what it lacks and keeps its answers");
  flags.parse(argc, argv);
  const Workspace work = Workspace::create(directory);
  const std::vector<grade::Exercise> all = grade::find_exercises();
  std::printf("%s: %zu answers to write.\n", work.directory().c_str(), all.size());
  const grade::Exercise* next = work.next(all);
  if (!next) next = &all.front();
  std::printf("The first one: %s\n  task    %s\n  answer  %s\n", next->title.c_str(),
              (next->folder / "README.md").c_str(), work.answer(*next).c_str());
  std::printf("`moe` here is %s, from anywhere.\nnext: %s watch\n", (work.directory() / "moe").c_str(),
              work.program().c_str());
  return 0;
}

}  // namespace moe
