#!/usr/bin/env bash
# The launcher, in a copy of its own with nothing but stubs and plain tools in PATH: no package is installed and nothing
# is built. The stubs write what they are called with to $work/calls.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

readonly plain_tools="sort bash chmod env dirname readlink mkdir cat tee tail sed rm grep flock nproc mktemp script sh touch"

export MOE_PRESET=cpu  # whatever this machine has

stub() {  # stub NAME: its script on stdin
  { echo "#!$(command -v bash)"; cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# A checkout in "$work/my checkout", a machine with every package but cmake and gnuplot-nox, root, no sudo.
machine() {
  mkdir -p "$work/bin" "$work/my checkout/cmake"
  checkout="$work/my checkout"
  cp "$repository/moe" "$checkout/moe"
  cp "$repository/cmake/packages.txt" "$checkout/cmake/"
  export work checkout
  for tool in $plain_tools; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done
  stub id <<<'echo "${FAKE_UID:-0}"'
  stub dpkg-query <<'STUB'
for name; do
  case $name in
    -*) ;;
    cmake | gnuplot-nox) [ ! -e "$work/installed" ] || printf '|%s installed|' "$name" ;;
    *) printf '|%s installed|' "$name" ;;
  esac
done
[ -e "$work/installed" ]
STUB
  # Package lists are absent until `apt-get update`.
  stub apt-get <<'STUB'
echo "apt-get $*" >>"$work/calls"
case " $* " in
  *" update "*) [ -z "${FAKE_NO_NETWORK-}" ] && touch "$work/lists" ;;
  *" install "*) [ -e "$work/lists" ] && touch "$work/installed" || { echo "E: Unable to locate package"; exit 100; } ;;
esac
STUB
  # Configuring leaves a cache and a summary, building leaves a program that says how it was called.
  stub cmake <<'STUB'
echo "cmake $*" >>"$work/calls"
case $1 in
  --preset)
    [ -z "${FAKE_BAD_CONFIGURE-}" ] || { echo "CMake Error: no compiler"; exit 1; }
    mkdir -p "build/$2"
    echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >"build/$2/CMakeCache.txt"
    touch "build/$2/build.ninja"
    printf -- '-- Found this\n-- \n-- MoE Odyssey 9\n--   compiler\n-- \n-- Done\n' ;;
  --build)
    echo "[1/2] Building CXX object"
    [ -z "${FAKE_BAD_BUILD-}" ] || { printf 'FAILED: x.o\nx.cpp:1: error: no\n'; exit 1; }
    mkdir -p "$2/bin"
    printf '#!/bin/sh\nif [ "$1" = targets ]; then [ "$2" != demo ] || echo stage_1.7; else printf "<%%s>" "$@"; fi\n' \
      >"$2/bin/moe"
    chmod +x "$2/bin/moe" ;;
esac
STUB
  stub ctest <<'STUB'
echo "ctest $*" >>"$work/calls"
printf '1/3 Test #1: a ... Passed\n\n%s, %s tests failed out of 3\n' "x% tests passed" "${FAKE_FAILED:-0}"
printf 'The following tests did not run:\n\t3 - c (Skipped)\n'
[ "${FAKE_FAILED:-0}" = 0 ] || exit 8
STUB
}

launch() { run env PATH="$work/bin" "$checkout/moe" "$@"; }
launch_as() { run env PATH="$work/bin" "$1" "$checkout/moe" "${@:2}"; }  # launch_as NAME=VALUE ARGUMENTS...
calls() { grep -c -e "$1" "$work/calls" 2>/dev/null || true; }

nothing_happened() {
  [ ! -e "$work/calls" ] || fail "called: $(cat "$work/calls")"
  expect_empty out
}

WithoutTerminalOrYesItPrintsTheCommandAndInstallsNothing() {
  machine
  launch demo
  expect_code 3
  expect_in err "2 more packages, at most 43 MB to download and 153 MB on disk"
  expect_in err "  apt-get update && apt-get install --no-install-recommends cmake gnuplot-nox"
  nothing_happened
}

ContinuousIntegrationInstallsUpdatingTheListsOnlyWhenNeeded() {
  machine
  launch_as CI=true list
  expect_code 0
  [ "$(calls 'install -y --no-install-recommends cmake gnuplot-nox$') $(calls update)" = "2 1" ] || fail "$(cat "$work/calls")"
  rm "$work/installed" "$work/calls"
  launch_as CI=true list
  [ "$(calls install) $(calls update)" = "1 0" ] || fail "second time: $(cat "$work/calls")"
}

YesInstallsAndIsNotPassedOn() {
  machine
  launch demo --quick --yes --out "a b"
  expect_code 0
  [ "$(cat "$work/out")" = "<demo><--quick><--out><a b>" ] || fail "arguments changed"
  [ -e "$work/installed" ] || fail "nothing was installed"
}

OtherValuesOfCiDoNotInstall() {
  machine
  launch_as CI=false demo
  expect_code 3
  nothing_happened
}

WithoutRootAndSudoItPrintsTheCommandEvenWithYes() {
  machine
  launch_as FAKE_UID=1000 demo --yes
  expect_code 3
  expect_in err "As root, run:"
  expect_in err "  apt-get update && apt-get install --no-install-recommends cmake gnuplot-nox"
  nothing_happened
}

WithSudoItInstallsThroughSudo() {
  machine
  stub sudo <<<'echo "sudo $1 $2" >>"$work/calls"; exec "$@"'
  launch_as FAKE_UID=1000 demo
  expect_code 3
  expect_in err "  sudo apt-get update && sudo apt-get install --no-install-recommends cmake gnuplot-nox"
  nothing_happened
  launch_as FAKE_UID=1000 demo --yes
  expect_code 0
  [ "$(calls '^sudo env DEBIAN_FRONTEND=noninteractive')" = 3 ] || fail "$(cat "$work/calls")"
}

AnInstallationThatFailsSaysWhatAptSaid() {
  machine
  launch_as FAKE_NO_NETWORK=1 demo --yes
  expect_code 3
  expect_in err "E: Unable to locate package"
  expect_in err "  apt-get update && apt-get install"
  [ "$(calls "cmake --preset")" = 0 ] || fail "it went on"
}

on_a_terminal() {  # on_a_terminal ANSWER ARGUMENTS...
  PATH="$work/bin" script -qec "'$checkout/moe' ${*:2}" /dev/null <<<"$1" >"$work/out" 2>&1
  code=$?
}

OnATerminalNoInstallsNothing() {
  machine
  on_a_terminal n demo
  expect_code 3
  expect_in out "Install them now with apt-get? [y/n]"
  [ ! -e "$work/calls" ] || fail "called: $(cat "$work/calls")"
}

OnATerminalYesInstalls() {
  machine
  on_a_terminal y list
  expect_code 0
  [ -e "$work/installed" ] || fail "nothing was installed"
}

WithoutAptItNamesThePackages() {
  machine
  rm "$work/bin/apt-get"
  launch demo --yes
  expect_code 3
  expect_in err "libdnnl-dev"
  expect_in err MOE_SKIP_PACKAGES=1
  launch_as MOE_SKIP_PACKAGES=1 list
  expect_code 0
}

HelpNeedsNothing() {
  machine
  for argument in "" help --help; do
    # shellcheck disable=SC2086
    launch $argument
    expect_code 0
    expect_in out "./moe demo"
    expect_not_in out "set -"
    [ ! -e "$work/calls" ] || fail "called: $(cat "$work/calls")"
  done
}

ready() { machine; touch "$work/installed"; }

DemoBuildsTheProgramThenItsStageAndHandsOver() {
  ready
  launch demo 1 --quick
  expect_code 0
  [ "$(cat "$work/calls")" = "cmake --preset cpu
cmake --build $checkout/build/cpu --target moe_cli
cmake --build $checkout/build/cpu --target stage_1.7" ] || fail "$(cat "$work/calls")"
  [ "$(cat "$work/out")" = "<demo><1><--quick>" ] || fail "arguments changed"
  expect_in err "MoE Odyssey 9"
  expect_not_in err "Found this"
}

TheSecondStartNeitherConfiguresNorShowsTheSummary() {
  ready
  launch list
  launch list
  [ "$(calls --preset)" = 1 ] || fail "$(cat "$work/calls")"
  expect_empty err
}

AMovedCheckoutIsConfiguredAfresh() {
  ready
  launch list
  mv "$checkout" "$work/elsewhere"
  checkout="$work/elsewhere"
  launch list
  expect_code 0
  [ "$(calls --preset)" = 2 ] || fail "$(cat "$work/calls")"
  expect_in err "configuring afresh"
}

ItWorksThroughASymlinkFromAnywhere() {
  ready
  ln -s "$checkout/moe" "$work/my link"
  cd / && run env PATH="$work/bin" "$work/my link" list
  expect_code 0
  [ -x "$checkout/build/cpu/bin/moe" ] || fail "not built in the checkout"
}

TheProgramKeepsTheWorkingDirectory() {
  ready
  launch list
  printf '#!/bin/sh\n[ "$1" = targets ] || pwd\n' >"$checkout/build/cpu/bin/moe"
  stub cmake </dev/null
  cd "$work/bin" && launch list
  [ "$(cat "$work/out")" = "$work/bin" ] || fail "ran in $(cat "$work/out")"
}

ABuildThatFailsShowsTheCompilersWords() {
  ready
  launch_as FAKE_BAD_BUILD=1 list
  expect_code 1
  expect_in err "x.cpp:1: error: no"
  expect_empty out
}

AConfigureThatFailsShowsItsOutput() {
  ready
  launch_as FAKE_BAD_CONFIGURE=1 list
  expect_code 1
  expect_in err "CMake Error: no compiler"
}

TestBuildsAllRunsCtestAndCounts() {
  ready
  launch test -R "a b"
  expect_code 0
  [ "$(calls '--target all$')" = 1 ] || fail "$(cat "$work/calls")"
  grep -q '^ctest --preset cpu .* -R a b$' "$work/calls" || fail "$(cat "$work/calls")"
  expect_in err "2 passed, 0 failed, 1 skipped"
  launch_as FAKE_FAILED=2 test
  expect_code 1
  expect_in err "0 passed, 2 failed, 1 skipped"
}

CleanRemovesTheBuildAndKeepsRunsUnlessAll() {
  machine
  mkdir -p "$checkout/build/cpu" "$checkout/runs/x"
  launch clean
  expect_code 0
  [ ! -e "$checkout/build" ] && [ -d "$checkout/runs/x" ] || fail "clean"
  launch clean --all
  [ ! -e "$checkout/runs" ] || fail "clean --all"
  [ -e "$checkout/cmake/packages.txt" ] || fail "too much"
}

ADeviceThatIsAGpuBuildsWithCudaWhereNvccIs() {
  machine
  touch "$work/installed"
  stub nvcc <<<:
  launch_as MOE_PRESET= demo --device cuda
  expect_code 0
  [ "$(calls '^cmake --preset cuda$') $(calls "--build $checkout/build/cuda ")" = "1 2" ] || fail "$(cat "$work/calls")"
  [ "$(cat "$work/out")" = "<demo><--device><cuda>" ] || fail "arguments changed"
  launch_as MOE_PRESET=cpu demo --device=cuda:1
  [ "$(calls '^cmake --preset cpu$')" = 1 ] || fail "MOE_PRESET does not decide: $(cat "$work/calls")"
}

CudaIsBuiltForTheGpusThatAreHere() {
  machine
  touch "$work/installed"
  stub nvidia-smi <<<'printf "9.0\n7.5\n9.0\n"'
  launch_as MOE_PRESET=cuda doctor
  expect_code 0
  [ "$(calls '^cmake --preset cuda -DMOE_CUDA_ARCHITECTURES=75;90$')" = 1 ] || fail "$(cat "$work/calls")"
}

ADriverThatDoesNotAnswerLeavesAllArchitectures() {
  machine
  touch "$work/installed"
  stub nvidia-smi <<<'echo "NVIDIA-SMI has failed"; exit 9'
  launch_as MOE_PRESET=cuda doctor
  expect_code 0
  [ "$(calls '^cmake --preset cuda$')" = 1 ] || fail "$(cat "$work/calls")"
}

run_case "$@"
