// What only needs the tables of stages and commands.
#pragma once

namespace moe {

int list_main(int argc, char** argv);     // sessions and stages
int stage_main(int argc, char** argv);    // becomes a stage program
int demo_main(int argc, char** argv);     // becomes the stage program that is a session's main job
int targets_main(int argc, char** argv);  // for the launcher: the CMake targets that a command line runs

}  // namespace moe
