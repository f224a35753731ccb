#!/usr/bin/env bash
# The learner's and the teacher's commands, from a fresh work directory to grades.
# shellcheck source=tests/cli/support.sh
. "$(dirname -- "$0")/support.sh"
moe=${MOE_PROGRAM:-$repository/build/cpu/bin/moe}
[ -x "$(dirname "$moe")/grader" ] || skip "the exercises are not built"
export XDG_STATE_HOME=$work/state NO_COLOR=1
unset MOE_WORK
gate=$repository/exercises/01_overview/01_top_k_gate

start() {
  run "$moe" start "$work/learn"
  expect_code 0
  cd "$work/learn" || fail "no work directory"
}

AWorkDirectoryHoldsAnswersAndEditorFiles() {
  needs python3
  start
  cmp -s top_k_gate.cpp "$gate/answer.cpp" || fail "the answer is not the stub"
  [ -z "$(find . -name 'reference*')" ] || fail "a solution is in the work directory"
  python3 -c 'import json; assert any(c["file"].endswith("top_k_gate.cpp") for c in json.load(open("compile_commands.json")))' ||
    fail "compile_commands.json"
  echo "mine" >top_k_gate.cpp
  run "$moe" start .
  expect_code 0
  [ "$(cat top_k_gate.cpp)" = mine ] || fail "start has overwritten an answer"
  mkdir "$work/other" && touch "$work/other/x"
  run "$moe" start "$work/other"
  expect_code 2
}

# As an editor does with compile_commands.json.
EditorsCanCompileTheStub() {
  needs python3
  start
  local command
  while IFS= read -r command; do
    run bash -c "$command -fsyntax-only" && expect_code 0
  done < <(python3 -c 'import json,shlex; [print(shlex.join(c["arguments"])) for c in json.load(open("compile_commands.json"))]')
}

WithoutAWorkDirectoryItSaysHowToMakeOne() {
  cd "$work" || fail
  run "$moe" try top_k_gate
  expect_code 2
  expect_in err "moe start"
}

TryNamesCaseIndexReasonAndTheNextCommand() {
  start
  cp "$gate/wrong/overflow.cpp" top_k_gate.cpp
  run "$moe" try top_k_gate --seed 3
  expect_code 1
  expect_in out "case: N=2 E=3 K=2"
  expect_in out "weight[0,0] is NaN"
  expect_in out "exp overflows beyond 88"
  [ "$(tail -1 "$work/out")" = "next: ./moe hint top_k_gate" ] || fail "last line"
  ! grep -q $'\033' "$work/out" || fail "colours in a pipe"
  [ "$(awk '{ print length }' "$work/out" | sort -n | tail -1)" -le 80 ] || fail "lines beyond 80 columns"
}

# An exercise whose parts this build does not have is neither passed nor failed.
WhatCannotBeGradedEndsWithThree() {
  mkdir -p "$work/exercises/01_overview"
  cp -r "$gate" "$work/exercises/01_overview/99_unbuilt"
  export MOE_EXERCISES_DIR=$work/exercises
  start
  run "$moe" try unbuilt
  expect_code 3
  expect_in out "not graded (no device)"
  run "$moe" grade
  expect_code 3
  unset MOE_EXERCISES_DIR
}

ACheckThatIsNotThereIsAUsersError() {
  start
  run "$moe" try top_k_gate --check Tie
  expect_code 2
  expect_in err "error: top_k_gate has no check 'Tie'"
  expect_in err "Did you mean 'Ties'?"
}

# From elsewhere the command is a path; there is no `moe` on the PATH.
TheNextCommandWorksWhenPasted() {
  start
  run "$moe" progress
  [ "$(tail -1 "$work/out")" = "next: ./moe try top_k_gate" ] || fail "last line"
  [ -x moe ] || fail "no ./moe"
  cd / && MOE_WORK=$work/learn run "$moe" progress
  [ "$(tail -1 "$work/out")" = "next: $work/learn/moe try top_k_gate" ] || fail "last line"
}

AMissingFunctionIsNamedWithoutTheLinkersWords() {
  start
  : >top_k_gate.cpp
  run "$moe" try top_k_gate
  expect_code 1
  expect_in out "  top_k_gate("
  expect_not_in out "undefined reference"
}

CompileErrorsShowTheLearnersLines() {
  start
  printf '#include "contract.hpp"\n\nint x = y;\n' >top_k_gate.cpp
  run "$moe" try top_k_gate
  expect_code 1
  expect_in out "top_k_gate.cpp:3:9: error: "
  expect_in out "int x = y;"
}

SolvingItLeadsOnAndOpensTheSolution() {
  start
  run "$moe" solution top_k_gate
  expect_code 1
  run "$moe" hint top_k_gate
  expect_in out "hint 1 of 3"
  run "$moe" hint top_k_gate
  expect_in out "hint 2 of 3"
  cp "$gate/reference.cpp" top_k_gate.cpp
  run "$moe" try top_k_gate
  expect_code 0
  expect_in out "10 of 10 points: passed"
  expect_not_in out "moe try top_k_gate"
  run "$moe" solution top_k_gate
  expect_code 0
  expect_in out "stable_sort"
  run "$moe" progress
  expect_in out "ok top_k_gate"
  run "$moe" reset top_k_gate
  cmp -s top_k_gate.cpp "$gate/answer.cpp" || fail "reset"
  run "$moe" reset top_k_gate
  expect_not_in out .old
  cmp -s top_k_gate.cpp.old "$gate/reference.cpp" || fail "reset lost the answer"
}

PeekingIsNoted() {
  start
  run "$moe" solution top_k_gate --peek
  expect_code 0
  run "$moe" progress
  expect_in out "solution seen"
}

# Saved by writing in place and by renaming a new file over it, as editors do.
WatchChecksWhatIsSaved() {
  start
  mkfifo "$work/keys"
  "$moe" watch top_k_gate <"$work/keys" >"$work/out" 2>"$work/err" &
  local pid=$!
  exec 8>"$work/keys"
  sleep 0.5
  cp "$gate/wrong/overflow.cpp" top_k_gate.cpp
  wait_for "8 of 10 points"
  cp "$gate/reference.cpp" new && mv new top_k_gate.cpp
  wait_for "10 of 10 points: passed"
  printf h >&8
  wait_for "hint 1 of 3"
  printf q >&8
  wait "$pid" || fail "watch ended with $?"
  exec 8>&-
}

# Waited for in one check, not in every one; and Ctrl-C does not wait at all.
WatchIsNotHeldUpByAnEndlessLoop() {
  start
  mkfifo "$work/keys"
  "$moe" watch top_k_gate <"$work/keys" >"$work/out" 2>"$work/err" &
  local pid=$! before
  exec 8>"$work/keys"
  sleep 0.5
  { echo '#include "contract.hpp"' && echo 'void top_k_gate(std::int32_t* e, float*, const float*, std::int64_t, std::int64_t, std::int64_t)' &&
    echo '{ for (;;) *(volatile std::int32_t*)e = 0; }'; } >top_k_gate.cpp
  wait_for "does not come back within 4.0s"
  expect_in out "  --    Ties         0/2"
  : >"$work/out"
  printf r >&8
  wait_for "checking"
  sleep 0.5
  before=$SECONDS
  kill -INT "$pid"
  code=0
  wait "$pid" || code=$?
  expect_code 130
  [ $((SECONDS - before)) -le 2 ] || fail "it has waited $((SECONDS - before)) s"
  exec 8>&-
}

wait_for() {  # wait_for TEXT: in what watch says
  local i
  for ((i = 0; i < 300; i++)); do
    grep -qF -- "$1" "$work/out" && return
    sleep 0.1
  done
  fail "watch did not say '$1'"
}

GradeWritesFilesAndItsExitCode() {
  needs python3
  start
  cp "$gate/reference.cpp" top_k_gate.cpp
  run "$moe" grade top_k_gate --seed 4
  expect_code 0
  python3 -c 'import json; g = json.load(open("grade.json")); assert g["score"] == 10 and len(g["tests"]) == 6' || fail "grade.json"
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("junit.xml")' || fail "junit.xml"
  cp "$gate/wrong/overflow.cpp" top_k_gate.cpp
  run "$moe" grade top_k_gate
  expect_code 1
  rm top_k_gate.cpp
  run "$moe" grade top_k_gate
  expect_code 1
  expect_in out "no answer"
  run "$moe" grade nonsense
  expect_code 2
}

# One bad submission never stops the class; the same seed gives the same grades.
TeachGradesAClass() {
  local row
  mkdir -p "$work/class/ada" "$work/class/bob" "$work/class/eve"
  cd "$work/class" || fail
  cp "$gate/reference.cpp" ada/top_k_gate.cpp
  cp "$gate/wrong/overflow.cpp" bob/top_k_gate.cpp
  ln -s /etc/passwd eve/top_k_gate.cpp
  run "$moe" teach grade ada bob eve gone --exercise top_k_gate --csv a.csv --seed-file secret
  expect_code 0
  expect_in out "refused  eve: a link"
  for row in 'ada,10,10,10,' 'bob,8,8,10,' 'gone,0,0,10,refused'; do
    grep -q "^$row" a.csv || fail "no $row: $(cat a.csv)"
  done
  [ "$(stat -c %a secret)" = 600 ] || fail "the seed is open to others"
  run "$moe" teach grade ada bob eve gone --exercise top_k_gate --csv b.csv --seed-file secret
  cmp -s a.checks.csv b.checks.csv || fail "a re-run gave other grades"
  run "$moe" teach report a.csv
  expect_code 0
  expect_in out "top_k_gate: LargeLogits"
}

AReleaseWithoutSolutionsHasNone() {
  run "$moe" teach release --out "$work/course" --drop-solutions --seed-file "$work/seed"
  expect_code 0
  [ -f "$work/course/exercises/01_overview/01_top_k_gate/answer.cpp" ] || fail "no stub"
  [ -z "$(find "$work/course/exercises" -name 'reference.*' -o -name wrong)" ] || fail "solutions"
  ! grep -rl "$(cat "$work/seed")" "$work/course" || fail "the seed is in the copy"
  run "$moe" teach release --out "$work/course2" --seed-file "$work/course2/seed"
  expect_code 2
}

# Every verdict of a made-up class is what it should be; one that is not is named, and counted.
ARehearsalJudgesEveryVerdict() {
  run "$moe" teach rehearse --submissions 6 --exercise top_k_gate
  expect_code 0
  expect_in out "6 submissions of 1 exercise, graded in"
  expect_in out " 0 misjudged"
  mkdir -p "$work/exercises/01_overview"
  cp -r "$gate" "$work/exercises/01_overview"
  cp "$gate/wrong/overflow.cpp" "$work/exercises/01_overview/01_top_k_gate/reference.cpp"
  run env MOE_EXERCISES_DIR="$work/exercises" "$moe" teach rehearse --submissions 2 --exercise top_k_gate --seed 3
  expect_code 1
  expect_in out "reference.cpp"
  expect_not_in out " 0 misjudged"
}

# check_spoiled WHAT TEXT: `moe teach check` on a copy of the exercise that WHAT has spoiled fails and says TEXT.
check_spoiled() {
  rm -rf "$work/exercises"
  mkdir -p "$work/exercises/01_overview"
  cp -r "$gate" "$work/exercises/01_overview"
  (cd "$work/exercises/01_overview/01_top_k_gate" && eval "$1") || fail "cannot spoil by $1"
  run env MOE_EXERCISES_DIR="$work/exercises" "$moe" teach check top_k_gate
  expect_code 1
  expect_in out "$2"
}

TeachCheckFindsASpoiledExercise() {
  check_spoiled 'sed -i "1s/.*/\/\/ fails: Ties/" wrong/overflow.cpp' "overflow.cpp fails LargeLogits, but should fail Ties"
  check_spoiled 'cp wrong/overflow.cpp answer.cpp' "answer.cpp fails LargeLogits, but should fail"
  check_spoiled 'cp wrong/overflow.cpp reference.cpp' "reference.cpp fails LargeLogits, but should fail none"
}

TeachCheckFindsWhatIsMissing() {
  check_spoiled 'cp reference.cpp wrong/overflow.cpp' "its first line must be"
  check_spoiled 'rm wrong/o*' "only 3 wrong answers"
  check_spoiled 'sed -i "s/^## Third/Third/" hints.md' "three headings"
  check_spoiled 'sed -i "s/10 points/9 points/" README.md' "its checks add up to 10"
}

TeachCheckFindsAnUntrueExample() {
  check_spoiled 'sed -i "s/^weight = 0.731/weight = 0.713/" README.md' "reference.cpp fails HandCase"
}

run_case "$@"
