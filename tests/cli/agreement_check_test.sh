#!/usr/bin/env bash
# The check of how far the emulated device agrees with the CPU must reject what it exists for.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2016
. "$(dirname -- "$0")/support.sh"

good='emulated against the CPU, on the same batches: gradients of the first step within 2.1e-06 (blocks.0.q), loss over 20 steps within 3.1e-07, 99.98 % of 24576 routing decisions'

check_line() {
  printf 'device: it is here\n%s\nstep 1/60\n' "$1" >"$work/said"
  run "$repository/.ci/check_agreement" "$work/said"
}
rejects() {  # rejects LINE REASON
  [ "$1" != "$good" ] || fail "nothing is spoiled"
  check_line "$1"
  expect_code 1
  expect_in out "$2"
}

AGoodRunPasses() { check_line "$good"; expect_code 0; }
ExactAgreementPasses() { check_line "${good//2.1e-06/0.0e+00}"; expect_code 0; }
GradientsTooFarApartAreRejected() { rejects "${good/2.1e-06/1.2e-03}" "not so: gradients within 1e-3"; }
InfiniteGradientsAreRejected() { rejects "${good/2.1e-06/inf}" "not so: gradients"; }
ALossTooFarApartIsRejected() { rejects "${good/3.1e-07/4.0e-02}" "not so: loss within 1e-3"; }
ANaNIsRejected() { rejects "${good/3.1e-07/nan}" "not understood"; }
TooFewStepsAreRejected() { rejects "${good/over 20/over 2}" "not so: at least 20 steps"; }
OtherRoutingIsRejected() { rejects "${good/99.98/99.89}" "not so: 99.9 %"; }
NoRoutingIsRejected() { rejects "${good/24576/0}" "not so: 99.9 %"; }
ARunThatDoesNotCompareIsRejected() { rejects "step 2/60" "does not say how far"; }

run_case "$@"
