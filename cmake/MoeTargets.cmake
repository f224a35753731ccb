# How targets are made here: one folder, one target; flags in one place.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O3")

find_program(MOE_CCACHE ccache)
if(MOE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MOE_CCACHE})
endif()

# On every target alike: mixing instruction sets would give Eigen's inline functions several meanings.
add_library(moe_source_flags INTERFACE)
target_include_directories(moe_source_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(moe_source_flags INTERFACE -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(moe_source_flags INTERFACE -Wno-restrict)  # false alarms on std::string + (GCC bug 105651)
endif()
if(MOE_NATIVE)
  target_compile_options(moe_source_flags INTERFACE -march=native)
endif()
add_library(moe_flags INTERFACE)
target_link_libraries(moe_flags INTERFACE moe_source_flags)
if(MOE_SANITIZE)
  target_compile_options(moe_flags INTERFACE -fsanitize=${MOE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(moe_flags INTERFACE -fsanitize=${MOE_SANITIZE})
endif()

# Reading the standard library's headers is half of the time of compiling a typical file here, so they are read once for each
# set of flags (`kind`). Files still include what they use: CI compiles most without this, too (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON).
# GCC only: it takes one for targets whose other macros differ. ccache does without. JSON is not among them: loading it takes
# 0.7 s in every file, reading it 1 s in the few that use it.
set(MOE_HEADERS_kernels <algorithm> <array> <atomic> <bit> <cmath> <cstdint> <cstring> <functional> <limits> <memory> <mutex>
  <numbers> <span> <string> <type_traits> <utility> <vector>)
set(MOE_HEADERS_common ${MOE_HEADERS_kernels} <cerrno> <chrono> <cstdio> <cstdlib> <filesystem> <map> <numeric>
  <optional> <set> <sstream> <string_view> <thread>)
set(MOE_HEADERS_tests ${MOE_HEADERS_common} <gtest/gtest.h>)
function(moe_precompiled target kind headers)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL GNU OR MOE_CCACHE)
    return()
  endif()
  get_property(first GLOBAL PROPERTY MOE_PRECOMPILED_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${MOE_HEADERS_${headers}})
    set_property(GLOBAL PROPERTY MOE_PRECOMPILED_${kind} ${target})
  endif()
endfunction()

# What is built from kernels spends its time in kernels, and compiles in two thirds of the time with -O1. Files with loops of
# their own that matter are named by moe_fast.
function(moe_common_flags target headers)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # false alarms, of strings made of several
    target_compile_options(${target} PRIVATE -Wno-stringop-overflow)
  endif()
  moe_precompiled(${target} ${headers} ${headers})
endfunction()
function(moe_fast)
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O3 SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# moe_library(name [DEPENDS targets...] [PRIVATE targets...] [EXCLUDE regex] [HEADERS kind]): a static library from this folder's
# and its subfolders' .cpp.
function(moe_library name)
  cmake_parse_arguments(ARG "" "EXCLUDE;HEADERS" "DEPENDS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${ARG_EXCLUDE})
  endif()
  if(NOT sources)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC moe_flags ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  if(name STREQUAL kernels)
    moe_precompiled(${name} kernels kernels)
  elseif(ARG_HEADERS)
    moe_common_flags(${name} ${ARG_HEADERS})
  else()
    moe_common_flags(${name} common)
  endif()
endfunction()

# moe_emulated(name): this folder's *.cu, compiled by the C++ compiler for the emulated device (kernels/simt), join target
# `name`; nvcc is not needed. With MOE_CHECKED they join it once more, for the checked device.
function(moe_emulated name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cu)
  set_source_files_properties(${sources} PROPERTIES LANGUAGE CXX)
  add_library(${name}_emulated OBJECT ${sources})
  target_link_libraries(${name}_emulated PRIVATE moe_flags)
  moe_precompiled(${name}_emulated ${name}_emulated kernels)
  target_sources(${name} PRIVATE $<FILTER:$<TARGET_OBJECTS:${name}_emulated>,INCLUDE,[.]o$>)  # not the precompiled header
  target_compile_definitions(${name} PUBLIC MOE_HAVE_EMULATED)
  if(MOE_CHECKED)
    moe_checked(${name} ${sources})
  endif()
endfunction()

# How a kernel is compiled for the checked device, and what its object's names become; answers to exercises as well.
# -O1 and no merging of like code: a report names the line that was written, not one that the optimiser made of two.
# Copies expanded in place (builtin) would not be watched, nor the checked copies that distributions switch on (_FORTIFY_SOURCE:
# __memcpy_chk). -fno-tree-sra: a vector is loaded as one, not component by component.
set(MOE_CHECKED_FLAGS -DMOE_CHECKED_BACKEND -DMOE_HAVE_CHECKED -U_FORTIFY_SOURCE -O1 -g1 -finline-small-functions -fno-crossjumping
  -fno-tree-tail-merge -fno-tree-sra -fno-builtin-memcpy -fno-builtin-memmove -fno-builtin-memset -fsanitize=thread,bounds,alignment
  --param=tsan-instrument-func-entry-exit=0)
set(MOE_CHECKED_OBJCOPY --keep-global-symbol=_ZN3moe15kernels_checked*
  --redefine-sym=memcpy=moe_checked_memcpy --redefine-sym=memmove=moe_checked_memmove
  --redefine-sym=memset=moe_checked_memset
  --redefine-sym=__ubsan_handle_out_of_bounds=moe_checked_bad_index
  --redefine-sym=__ubsan_handle_type_mismatch_v1=moe_checked_misaligned)

# moe_checked(name sources...): the same files with a call at every access to memory (kernels/simt/checked); moe_emulated
# calls it. They are linked into one object that shares nothing with the rest of the program, for two reasons. Inline
# functions of the standard library exist here with these calls and elsewhere without, and the linker keeps one of each name.
# And GCC's own names for what it calls would meet the sanitizers' libraries in a sanitized build.
function(moe_checked name)
  add_library(${name}_checked OBJECT ${ARGN})
  target_link_libraries(${name}_checked PRIVATE moe_source_flags)
  target_compile_options(${name}_checked PRIVATE ${MOE_CHECKED_FLAGS})
  moe_precompiled(${name}_checked checked kernels)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}_checked.o)
  set(objects $<FILTER:$<TARGET_OBJECTS:${name}_checked>,INCLUDE,[.]o$>)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r --force-group-allocation -o ${object}.all ${objects}
    COMMAND ${CMAKE_OBJCOPY} --wildcard ${MOE_CHECKED_OBJCOPY} ${object}.all ${object}
    DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM)
  target_sources(${name} PRIVATE ${object})
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  target_compile_definitions(${name} PUBLIC MOE_HAVE_CHECKED)
endfunction()

# moe_program(name sources... DEPENDS targets...)
function(moe_program name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
  moe_common_flags(${name} common)
endfunction()

# moe_tests(name DEPENDS targets...): one test program from this folder's *_test.cpp, every TEST known to ctest.
function(moe_tests name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} test_support GTest::gtest_main)
  moe_common_flags(${name} tests)  # tests are compiled more often than they run
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # of copies of vectors and of strings
    target_compile_options(${name} PRIVATE -Wno-array-bounds)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(${name} PRIVATE -Wno-dangling-reference)  # into an argument that is not the temporary
  endif()
  gtest_discover_tests(${name} PROPERTIES LABELS ${name})
endfunction()
