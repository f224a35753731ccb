#!/usr/bin/env bash
# `moe convert`: between our files and those of others, and what it says when it cannot.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"
vectors=$repository/tests/io/hf

converted() { # converted FROM TO ARGUMENTS...
  "$MOE_PROGRAM" convert --from "$1" --to "$2" "${@:3}" >/dev/null 2>&1 || fail "convert $*"
}

ThereAndBackGivesTheSameBytes() {
  converted "$vectors/olmoe_sharded" "$work/ours" --layout moe --shard-size 2KB
  converted "$work/ours" "$work/one" --layout olmoe --shard-size 12KB
  converted "$work/one" "$work/two"
  [ -e "$work/ours/model.safetensors.index.json" ] || fail "no shards"
  cmp "$work/one/config.json" "$work/two/config.json" || fail "another configuration"
  converted "$work/two" "$work/three" --shard-size 12000
  for file in "$work"/one/*; do cmp "$file" "$work/three/${file##*/}" || fail "another ${file##*/}"; done
}

SaysWhatItWrote() {
  run "$MOE_PROGRAM" convert --from "$vectors/mixtral_sharded" --to "$work/to" --dtype bf16
  expect_code 0
  expect_in out "$work/to: layout mixtral, 9.07k parameters, 1 file"
  grep -q '"torch_dtype": "bfloat16"' "$work/to/config.json" || fail "another dtype"
}

WhatALayoutCannotSayIsRefused() {
  run "$MOE_PROGRAM" convert --from "$vectors/olmoe_sharded" --to "$work/to" --layout mixtral
  expect_code 2
  expect_in err "layout mixtral: the model normalises queries and keys"
  run "$MOE_PROGRAM" convert --from "$vectors/llama" --to "$work/to" --layout gpt2
  expect_code 2
  run "$MOE_PROGRAM" convert --from "$vectors/llama" --to "$work/to" --shard-size 5parsecs
  expect_code 2
  expect_in err 5parsecs
  mkdir "$work/full" && touch "$work/full/x"
  run "$MOE_PROGRAM" convert --from "$vectors/llama" --to "$work/full"
  expect_code 2
  expect_in err "is no empty directory"
  [ ! -e "$work/to" ] || fail "a directory all the same"
}

DamagedFilesAreBadFiles() {
  cp -r "$vectors/mixtral_sharded" "$work/cut"
  head -c 5000 "$vectors/mixtral_sharded/model-00002-of-00004.safetensors" >"$work/cut/model-00002-of-00004.safetensors"
  run "$MOE_PROGRAM" convert --from "$work/cut" --to "$work/to"
  expect_code 4
  expect_in err model-00002-of-00004.safetensors
  rm "$work/cut/model-00003-of-00004.safetensors"
  cp "$vectors/mixtral_sharded/model-00002-of-00004.safetensors" "$work/cut/"
  run "$MOE_PROGRAM" convert --from "$work/cut" --to "$work/to"
  expect_code 4
  expect_in err "is missing"
  sed -i 's/"clip_qkv": null/"clip_qkv": 8.0/' "$(cp -r "$vectors/olmoe_sharded" "$work/clip" && echo "$work/clip/config.json")"
  run "$MOE_PROGRAM" generate --ckpt "$work/clip" --prompt x
  expect_code 4
  expect_in err "clip_qkv is 8.0"
}

run_case "$@"
