#!/usr/bin/env bash
# `moe bench` as programs read it, and `moe figures`, which writes what it measures into documents.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

expect_keys() {  # every line of the output is an object with these keys
  [ -s "$work/out" ] || fail "no rows"
  while read -r line; do
    for key in "$@"; do
      case $line in *"\"$key\":"*) ;; *) fail "no $key in $line" ;; esac
    done
  done < <(tr -d '\n' <"$work/out" | grep -oE '\{[^{}]*\}')
}

# A folder with the documents that figures write into.
documents() {
  mkdir -p "$work/docs" "$work/sessions/01_overview"
  touch "$work/sessions/01_overview/README.md"
  printf 'before\n<!-- begin bench_operations -->\nold\n<!-- end bench_operations -->\nafter\n' \
    >"$work/docs/performance.md"
}

in_documents() { (cd "$work" && "$MOE_PROGRAM" "$@"); }

BenchMoeLayerHasTheKeysThatAreDocumented() {
  run "$MOE_PROGRAM" bench moe_layer --pairs 1 --json
  expect_code 0
  expect_keys N D F E K threads seconds gemm_seconds fraction_of_gemm
}

BenchTrainHasTheKeysThatAreDocumented() {
  run "$MOE_PROGRAM" bench train --json
  expect_code 0
  expect_keys model threads tokens_per_second step_seconds gemm_seconds fraction_of_gemm peak_mib_early peak_mib_late
}

BenchTrainNamesWhatTakesLongestForItsBytes() {
  run "$MOE_PROGRAM" bench train --steps 3
  expect_code 0
  expect_in out "KiB a call"
  grep -qE '^of what has no products, [a-z_]+ takes longest: [0-9.]+ times its bytes$' \
    "$work/out" || fail "no summary"
}

BenchTokenizerHasTheKeysThatAreDocumented() {
  run "$MOE_PROGRAM" bench tokenizer --bytes 20000 --vocabulary 300 --runs 1 --json
  expect_code 0
  expect_keys work seconds mb_per_second
}

AFigureReplacesWhatStandsBetweenItsMarkers() {
  documents
  run in_documents figures bench_operations
  expect_code 0
  expect_in out docs/performance.md
  cp "$work/docs/performance.md" "$work/out"
  expect_in out "| grouped_ffn_backward |"
  expect_not_in out old
  [ "$(head -2 "$work/out")" = "$(printf 'before\n<!-- begin bench_operations -->')" ] || fail "the beginning"
  [ "$(tail -2 "$work/out")" = "$(printf '<!-- end bench_operations -->\nafter')" ] || fail "the end"
}

ADocumentWithoutItsMarkersIsLeftAsItIs() {
  documents
  echo "no markers" >"$work/docs/performance.md"
  run in_documents figures bench_operations
  expect_code 4
  expect_in err "no pair of markers for 'bench_operations'"
  [ "$(cat "$work/docs/performance.md")" = "no markers" ] || fail "the document changed"
}

FiguresNamesTheNearestAndWantsTheRepositorysRoot() {
  documents
  run in_documents figures bench_operation
  expect_code 2
  expect_in err "Did you mean 'bench_operations'?"
  rm -r "$work/sessions"
  run in_documents figures bench_operations
  expect_code 2
  expect_in err "repository's root"
}

ListRunsNothing() {
  run in_documents figures --list
  expect_code 0
  for name in demo scan bench_moe_layer bench_train bench_operations bench_kernels; do
    expect_in out "$name ("
  done
}

run_case "$@"
