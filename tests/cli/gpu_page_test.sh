#!/usr/bin/env bash
# The tables of docs/gpu.md and kernels/README.md that come from the program itself are the ones that it makes today.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2016
. "$(dirname -- "$0")/support.sh"

between_markers() { sed -n "/<!-- begin $2 -->/,/<!-- end $2 -->/p" "$repository/$1" | grep '^|'; }  # DOCUMENT MARKER

is_current() {  # is_current DOCUMENT MARKER COMMAND...
  run "$MOE_PROGRAM" "${@:3}" --markdown
  expect_code 0
  diff <(between_markers "$1" "$2") <(grep '^|' "$work/out") || fail "$1: run moe figures $2"
}

TheFloorsAreCurrent() { is_current docs/gpu.md floors bench floors; }

TheVersionsAreCurrent() {
  run "$MOE_PROGRAM" bench kernels --list --json
  grep -q 1_naive "$work/out" || skip "this build has no device versions"
  grep -q onednn "$work/out" || skip "this build has no oneDNN"
  is_current kernels/README.md versions bench kernels --list
}

EveryOperationIsListed() {
  run "$MOE_PROGRAM" bench kernels --list --json
  expect_code 0
  grep -ohE '^extern (const )?Operation<.*> [a-z0-9_]+;' -r "$repository"/kernels --include='*.hpp' |
    sed -E 's/.* ([a-z0-9_]+);/\1/' | sort >"$work/declared"
  grep -oE '"operation": "[a-z0-9_]+"' "$work/out" | cut -d'"' -f4 | sort >"$work/listed"
  [ -s "$work/declared" ] || fail "no operations found in kernels/"
  diff "$work/declared" "$work/listed" || fail "< declared in kernels/, > listed by kernels/all_versions.cpp"
}

# Which kernels a file has and what they need is nvcc's to say, and recorded; that no file is left out is checked.
EveryKernelFileStandsInTheTableOfPtxas() {
  between_markers docs/gpu.md ptxas | cut -d'|' -f3 | tr -d ' ' | sort -u >"$work/listed"
  (cd "$repository/kernels" && find . -name '*.cu' | sed 's|^\./||' | sort) >"$work/present"
  diff "$work/present" <(grep '\.cu$' "$work/listed") || fail "< present, > in docs/gpu.md: run moe figures ptxas"
}

run_case "$@"
