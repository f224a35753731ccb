#!/usr/bin/env bash
# `moe tokenizer`: from a text to tokenizer.json, to ids, and back to the same bytes.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

trained() { # a tokenizer of a small text
  for _ in $(seq 100); do printf 'the cat sat on the mat\n'; done >"$work/text"
  "$MOE_PROGRAM" tokenizer train --text "$work/text" --vocabulary 270 --out "$work/tokenizer.json" 2>/dev/null ||
    fail "train"
}

AnyBytesComeBackFromTheirIds() {
  trained
  printf 'the cat \377\000 \303\244 \346\227\245\r\n\n' >"$work/bytes"
  run "$MOE_PROGRAM" tokenizer encode --tokenizer "$work/tokenizer.json" --text "$work/bytes"
  expect_code 0
  "$MOE_PROGRAM" tokenizer decode --tokenizer "$work/tokenizer.json" <"$work/out" | cmp - "$work/bytes" ||
    fail "other bytes"
}

MergedTokensMakeATextShorter() {
  trained
  run "$MOE_PROGRAM" tokenizer encode --tokenizer "$work/tokenizer.json" --text "$work/text"
  expect_code 0
  [ "$(wc -w <"$work/out")" -lt $(($(wc -c <"$work/text") / 2)) ] || fail "as many tokens as bytes"
}

TrainingTwiceGivesTheSameFile() {
  trained
  cp "$work/tokenizer.json" "$work/first.json"
  trained
  cmp "$work/first.json" "$work/tokenizer.json" || fail "another file"
}

ADamagedOrAbsentFileIsABadFile() {
  trained
  head -c 300 "$work/tokenizer.json" >"$work/cut.json"
  run "$MOE_PROGRAM" tokenizer encode --tokenizer "$work/cut.json" --text "$work/text"
  expect_code 4
  expect_in err cut.json
  run "$MOE_PROGRAM" tokenizer encode --tokenizer "$work/none.json" --text "$work/text"
  expect_code 4
  run "$MOE_PROGRAM" tokenizer train --text "$work/none" --out "$work/x.json"
  expect_code 4
  [ ! -e "$work/x.json" ] || fail "a file all the same"
}

IdsThatAreNoneAreRefused() {
  trained
  echo "72 9999999" >"$work/ids"
  code=0
  "$MOE_PROGRAM" tokenizer decode --tokenizer "$work/tokenizer.json" <"$work/ids" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" != 0 ] && [ "$code" -le 4 ] || fail "accepted, or ended badly"
  expect_in err 9999999
  run "$MOE_PROGRAM" tokenizer polish
  expect_code 2
}

run_case "$@"
