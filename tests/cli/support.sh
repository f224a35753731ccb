# shellcheck shell=bash disable=SC2034
# For the shell tests: an empty folder to work in, a way to run a command and keep what it said, and what to expect.
set -uo pipefail

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
unset CI MOE_SKIP_PACKAGES

fail() {
  echo "FAILED: $*"
  echo "--- exit code ${code-?}, stdout:" && cat "$work/out" 2>/dev/null
  echo "--- stderr:" && cat "$work/err" 2>/dev/null
  exit 1
}

skip() {
  echo "SKIPPED: $*"
  exit 77
}

needs() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

run() {  # run COMMAND...: no terminal on stdin; leaves $code, $work/out and $work/err
  "$@" <&- >"$work/out" 2>"$work/err"
  code=$?
}

expect_code() { [ "$code" = "$1" ] || fail "expected exit code $1"; }
expect_in() { grep -qF -- "$2" "$work/$1" || fail "expected '$2' in $1"; }            # expect_in out|err TEXT
expect_not_in() { ! grep -qF -- "$2" "$work/$1" || fail "did not expect '$2' in $1"; }
expect_empty() { [ ! -s "$work/$1" ] || fail "expected nothing in $1"; }

run_case() {  # the last line of a test file: run_case "$@"
  declare -F "${1-}" >/dev/null || { echo "usage: $0 CASE"; exit 2; }
  "$1"
}
