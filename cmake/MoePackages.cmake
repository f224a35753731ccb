# Everything comes from the system by find_package; nothing is downloaded by CMake.

set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OneDNN QUIET)  # optional: Eigen takes over
find_path(MOE_RANDOM123 Random123/philox.h)
if(NOT MOE_RANDOM123)
  message(FATAL_ERROR "Random123/philox.h not found.\n  apt-get install librandom123-dev")
endif()
if(MOE_TESTS OR MOE_EXERCISES)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
find_program(MOE_GNUPLOT gnuplot)
find_package(LibArchive QUIET)  # optional: a teacher's archives of submissions
# Part of GCC: lines of source for the reports of checked kernels.
if(MOE_CHECKED)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LIBRARIES backtrace)
  check_cxx_source_compiles("#include <backtrace.h>
int main() { return backtrace_create_state(nullptr, 0, nullptr, nullptr) == nullptr; }" MOE_BACKTRACE)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
