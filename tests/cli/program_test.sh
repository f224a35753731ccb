#!/usr/bin/env bash
# The program `moe`: its commands, and how it runs stage programs.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

# A copy of the program with a stage beside it that says how it was called.
beside_a_stage() {
  mkdir -p "$work/a folder"
  cp "$MOE_PROGRAM" "$work/a folder/moe"
  cat >"$work/a folder/stage_1.7" <<'STAGE'
#!/bin/sh
printf '<%s>' "$@"
exit 42
STAGE
  chmod +x "$work/a folder/stage_1.7"
}

ListShowsStagesWithTheirSources() {
  run "$MOE_PROGRAM" list
  expect_code 0
  expect_in out "  1.7 "
  expect_in out sessions/01_overview/07_moe_vs_dense.cpp
}

ListAndTheSessionsFoldersAgree() {
  run "$MOE_PROGRAM" list
  grep -oE 'sessions/[^ ,]+\.cpp' "$work/out" | sort >"$work/listed"
  (cd "$repository" && ls sessions/[0-9][0-9]_*/[0-9][0-9]_*.cpp) | sort >"$work/present"
  diff "$work/listed" "$work/present" || fail "< listed by cli/stages.cpp only, > on disk only"
}

HelpNamesEveryCommand() {
  run "$MOE_PROGRAM" --help
  expect_code 0
  for command in demo list stage figures doctor test clean; do expect_in out "  $command "; done
}

VersionIsTheProjectsVersion() {
  run "$MOE_PROGRAM" --version
  expect_code 0
  expect_in out "moe $(sed -nE 's/^project\(.* VERSION ([0-9.]+) .*/\1/p' "$repository/CMakeLists.txt")"
}

AnUnknownCommandIsAUsageErrorThatNamesTheNearest() {
  run "$MOE_PROGRAM" lsit-
  expect_code 2
  expect_not_in err "Did you mean"
  run "$MOE_PROGRAM" lists
  expect_code 2
  expect_in err "Did you mean 'list'?"
  expect_empty out
}

AnUnknownStageOrSessionIsAUsageErrorThatNamesTheNearest() {
  run "$MOE_PROGRAM" stage 1.77
  expect_code 2
  expect_in err "Did you mean '1.7'?"
  run "$MOE_PROGRAM" demo 99
  expect_code 2
  expect_in err "no session '99'"
  run "$MOE_PROGRAM" stage
  expect_code 2
}

AStageGetsItsArgumentsUntouched() {
  beside_a_stage
  run "$work/a folder/moe" stage 1.7 --help "two words" "" -- '*' --out=x
  expect_code 42
  [ "$(cat "$work/out")" = '<--help><two words><><--><*><--out=x>' ] || fail "arguments changed"
}

DemoRunsTheMainJobWithOrWithoutTheSessionsNumber() {
  beside_a_stage
  run "$work/a folder/moe" demo 1 --quick
  [ "$code $(cat "$work/out")" = "42 <--quick>" ] || fail "demo 1"
  run "$work/a folder/moe" demo --steps 3
  [ "$code $(cat "$work/out")" = "42 <--steps><3>" ] || fail "demo"
}

StagesAreFoundBesideTheProgramThroughASymlink() {
  beside_a_stage
  ln -s "$work/a folder/moe" "$work/link"
  run "$work/link" stage 1.7 x
  [ "$code $(cat "$work/out")" = "42 <x>" ] || fail "through a symlink"
}

AStageThatIsNotBuiltNamesTheCommandThatBuildsIt() {
  mkdir "$work/bin" && cp "$MOE_PROGRAM" "$work/bin/moe"
  run "$work/bin/moe" stage 1.7
  expect_code 3
  expect_in err "./moe stage 1.7"
  expect_in err "--target stage_1.7"
}

TargetsNamesWhatACommandRunsAndNothingElse() {
  for words in "demo" "demo 1 --quick" "demo --steps 3" "stage 1.7 --help"; do
    # shellcheck disable=SC2086
    run "$MOE_PROGRAM" targets $words
    [ "$code $(cat "$work/out")" = "0 stage_1.7" ] || fail "targets $words"
  done
  for words in "" "list" "stage" "stage --help" "stage 9.9" "demo 99" "nonsense"; do
    # shellcheck disable=SC2086
    run "$MOE_PROGRAM" targets $words
    expect_code 0
    expect_empty out
    expect_empty err
  done
}

TargetsNamesTheProgramOfEveryOtherCommand() {
  for pair in "bench train:moe_measure" "doctor:moe_measure" "generate --ckpt x:moe_models" "convert:moe_models" \
    "tokenizer:moe_models" "hint:moe_exercises" "start x:moe_exercises" "try:moe_exercises exercises" \
    "teach check:moe_exercises exercises"; do
    [ "${pair#*:}" = moe_measure ] || [ "${pair#*:}" = moe_models ] || has_exercises || continue
    # shellcheck disable=SC2086
    run "$MOE_PROGRAM" targets ${pair%:*}
    [ "$code $(sort -r "$work/out" | xargs)" = "0 $(xargs -n 1 <<<"${pair#*:}" | sort -r | xargs)" ] || fail "targets ${pair%:*}"
  done
  run "$MOE_PROGRAM" targets figures
  for program in stage_1.1 stage_1.7 moe_measure moe_models; do expect_in out "$program"; done
  has_exercises || ! grep -q exercises "$work/out" || fail "targets that this build does not have"
}

has_exercises() { "$MOE_PROGRAM" --help | grep -q '^  teach '; }

# Two tables must agree: the one of all commands, and each program's own.
EveryCommandIsKnownToItsProgram() {
  "$MOE_PROGRAM" --help | sed -nE 's/^  ([a-z]+) .*/\1/p' >"$work/commands"
  [ "$(wc -l <"$work/commands")" -ge 10 ] || fail "too few commands in --help"
  while read -r command; do
    run "$MOE_PROGRAM" "$command" --help
    case $command in
      test | docs | clean) expect_code 2 ;;
      *) expect_code 0 ;;
    esac
  done <"$work/commands"
}

APartThatIsNotBuiltNamesTheCommandThatBuildsIt() {
  mkdir "$work/bin" && cp "$MOE_PROGRAM" "$work/bin/moe"
  run "$work/bin/moe" bench train
  expect_code 3
  expect_in err "./moe bench"
  expect_in err "--target moe_measure"
}

LauncherCommandsPointToTheLauncher() {
  run "$MOE_PROGRAM" test
  expect_code 2
  expect_in err "./moe test"
}

run_case "$@"
