#!/usr/bin/env bash
# The include check must reject what it exists for. Each case writes a small tree with one wrong include.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

room() {  # room NAME DEPENDS...
  mkdir -p "$work/tree/common/$1"
  echo "moe_library($1 DEPENDS ${*:2} PRIVATE Some::Thing)" >"$work/tree/common/$1/CMakeLists.txt"
}

tree() {  # a tree in order: kernels <- tensor <- moe <- nn, io beside them
  mkdir -p "$work/tree"/{kernels/base,sessions/01_a,sessions/02_b,tests/moe,exercises/e,cli}
  room tensor kernels
  room moe tensor
  room nn moe
  room io tensor
  file kernels/base/a.cpp '#include "kernels/base/a.hpp"'
  file common/nn/model.hpp '#include "common/tensor/tensor.hpp"'
  file sessions/01_a/01_x.cpp '#include "common/nn/model.hpp"'
  file tests/moe/x_test.cpp '#include "common/moe/x.hpp"'
}

file() { printf '%s\n' "// first line" "${@:2}" >"$work/tree/$1"; }

rejects() {  # rejects FILE INCLUDE: in an otherwise good tree, at line 2
  tree
  file "$1" "#include $2"
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 1
  expect_in out "$1:2: "
  expect_in out "1 wrong includes among"
}

AGoodTreePasses() {
  tree
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 0
  expect_in out "4 includes point the right way"
}

AnEmptyTreeDoesNotPass() {
  mkdir -p "$work/tree/common"
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 1
}

KernelsMustNotIncludeCommon() { rejects kernels/base/b.cpp '"common/tensor/tensor.hpp"'; }
AngleBracketsHideNothing() { rejects kernels/base/b.cpp '<common/tensor/tensor.hpp>'; }
SpacesHideNothing() { tree; file kernels/base/b.cpp '  #  include "common/tensor/tensor.hpp"'; refused kernels/base/b.cpp; }
ARoomMustNotIncludeAboveItself() { rejects common/moe/x.hpp '"common/nn/model.hpp"'; }
ARoomMustNotIncludeBesideItself() { rejects common/io/x.cpp '"common/moe/x.hpp"'; }
NothingIncludesTests() { rejects common/nn/x.cpp '"tests/support/compare.hpp"'; }
NothingIncludesSessions() { rejects cli/x.cpp '"sessions/01_a/x.hpp"'; }
NothingIncludesExercises() { rejects tests/moe/y_test.cpp '"exercises/e/x.hpp"'; }
SessionsDoNotIncludeEachOther() { rejects sessions/02_b/01_y.cpp '"sessions/01_a/x.hpp"'; }
HeavyHeadersStayInCppFiles() { rejects common/io/x.hpp '<nlohmann/json.hpp>'; }
ThreadsComeFromParallelForNotFromOpenMp() { rejects kernels/base/b.cpp '<omp.h>'; }
RelativeIncludesAreRefused() { rejects common/nn/x.cpp '"model.hpp"'; }

refused() {
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 1
  expect_in out "$1:2: "
}

ABuildFileCannotUndoAPromise() {
  tree
  room moe nn
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 1
  expect_in out "common/moe must never use common/nn"
}

ARoomWithoutAReadableBuildFileIsRefused() {
  tree
  echo "add_library(io x.cpp)" >"$work/tree/common/io/CMakeLists.txt"
  run "$repository/.ci/check_includes" "$work/tree"
  expect_code 1
  expect_in out "common/io/CMakeLists.txt:1: "
}

run_case "$@"
