#!/usr/bin/env bash
# The check of the demo's report must reject what it exists for. Each case spoils one thing in a small good run.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2016
. "$(dirname -- "$0")/support.sh"

good_run() {
  mkdir -p "$work/run/dense"
  {
    echo '<!doctype html><html><body><a href="https://example.org/paper">a paper</a>'
    for title in "Loss by seconds" "Load of experts" "Domains" "Tokens" "Sample" "Configuration" "Machine"; do
      echo "<h2>$title</h2><svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"
    done
    echo '<table class="heat"><tr><td>1</td></tr></table>'
    printf '<span data-r="0:61">x</span>%.0s' {1..1000}
    echo '<img src="data:image/png;base64,AA"></body></html>'
  } >"$work/run/report.html"
  echo "step,loss" >"$work/run/loss.csv"
  printf '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.4}\n' >"$work/run/dense/metrics.jsonl"
}

spoil() { sed -i "$1" "$work/run/${2:-report.html}"; }

rejects() {  # rejects REASON
  run "$repository/.ci/check_demo" "$work/run"
  expect_code 1
  expect_in out "$1"
}

AGoodRunPasses() {
  good_run
  run "$repository/.ci/check_demo" "$work/run"
  expect_code 0
}

AForeignImageIsRejected() { good_run; spoil 's|data:image/png;base64,AA|https://example.org/a.png|'; rejects "no foreign source"; }
AnImageBesideTheFileIsRejected() { good_run; spoil 's|data:image/png;base64,AA|a.png|'; rejects "every src is inline"; }
AForeignScriptIsRejected() { good_run; spoil 's|<body>|<script src="//example.org/a.js"></script>|'; rejects "foreign source"; }
AStylesheetLinkIsRejected() { good_run; spoil 's|<body>|<link rel="stylesheet" href="https://example.org/a.css">|'; rejects "no stylesheet"; }
AnImportIsRejected() { good_run; spoil 's|<body>|<style>@import "a.css";</style>|'; rejects "no style imports"; }
AMissingSectionIsRejected() { good_run; spoil '/Machine/d'; rejects "machine"; }
TooFewPlotsAreRejected() { good_run; spoil 's|<svg[^>]*></svg>||'; rejects "at least four plots"; }
TextWithoutExpertsIsRejected() { good_run; spoil 's|data-r="0:61"||'; rejects "colours text by expert"; }
AReportWithoutHeatMapsIsRejected() { good_run; spoil 's|class="heat"||'; rejects "heat maps"; }
ATruncatedReportIsRejected() { good_run; spoil 's|</html>||'; rejects "complete"; }
BrokenMetricsAreRejected() { good_run; spoil '2s/}//' dense/metrics.jsonl; rejects "is JSON"; }
NoMetricsAreRejected() { good_run; rm "$work/run/dense/metrics.jsonl"; rejects "there are metrics"; }
NoReportIsRejected() { good_run; rm "$work/run/report.html"; rejects "no report.html"; }
NoNumbersAsCsvAreRejected() { good_run; rm "$work/run/loss.csv"; rejects "CSV"; }

run_case "$@"
