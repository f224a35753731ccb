#!/usr/bin/env bash
# moe doctor, and --device on a machine without a GPU. Cases with a driver that is no driver (tests/cli/fake_driver.c) need a
# build with CUDA, and are skipped without.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2015,SC2016
. "$(dirname -- "$0")/support.sh"

need_cuda_build() {
  [ -n "${MOE_FAKE_DRIVER-}" ] || { echo "skipped: this build has no CUDA"; exit 77; }
}

with_fake_driver() {  # COMMAND...: leaves "loaded" in $work/log once the driver is loaded
  run env MOE_FAKE_DRIVER_LOG="$work/log" LD_LIBRARY_PATH="$MOE_FAKE_DRIVER" CUDA_VISIBLE_DEVICES= "$@"
}

stage() { echo "$(dirname -- "$MOE_PROGRAM")/stage_1.7"; }

DoctorSaysWhatIsHereAndWhatIsMissing() {
  run "$MOE_PROGRAM" doctor
  expect_code 0
  expect_empty err
  for line in "MoE Odyssey " "  processor " "  memory " "  vector unit " " GFLOP/s in f32 on " "  emulated GPU " \
    "  CUDA kernels " "  NVIDIA driver " "  gnuplot " "works here" "./moe demo --device cpu"; do
    expect_in out "$line"
  done
}

DoctorNamesTheCommandForWhatIsMissing() {
  mkdir "$work/bin"
  ln -s "$(command -v env)" "$work/bin/env"
  run env PATH="$work/bin" "$MOE_PROGRAM" doctor
  expect_code 0
  grep -qE '^  gnuplot +no ' "$work/out" || fail "found a gnuplot that is not in PATH"
  expect_in out "to get the rest"
  expect_in out "  gnuplot: apt-get install gnuplot-nox"
  printf '#!/bin/sh\n' >"$work/bin/gnuplot"
  chmod +x "$work/bin/gnuplot"
  run env PATH="$work/bin" "$MOE_PROGRAM" doctor
  grep -qE '^  gnuplot +yes ' "$work/out" || fail "did not find the gnuplot in PATH"
  expect_not_in out "  gnuplot: "
}

DoctorsJsonHoldsTheSameFindings() {
  run "$MOE_PROGRAM" doctor --json
  expect_code 0
  [ "$(head -c 1 "$work/out")" = "[" ] || fail "no JSON array"
  expect_in out '"what": "emulated GPU"'
  expect_in out '"remedy": '
  grep -qE '"state": "(yes|no)"' "$work/out" || fail "no state"
}

DoctorMeasuresARateThatIsNotZero() {
  run "$MOE_PROGRAM" doctor
  rate=$(sed -nE 's/.*, ([0-9]+) GFLOP\/s.*/\1/p' "$work/out")
  [ "${rate:-0}" -gt 0 ] || fail "a rate of '${rate-}'"
}

DeviceCudaWithoutAGpuEndsWithCodeThreeAndARemedy() {
  [ ! -e /proc/driver/nvidia/version ] || { echo "skipped: there may be a GPU here"; exit 77; }
  run "$MOE_PROGRAM" generate --ckpt "$work" --device cuda
  expect_code 3
  expect_in err "error: "
  [ "$(grep -c . "$work/err")" -ge 2 ] || fail "no remedy"
  expect_empty out
}

AnUnknownDeviceIsAUsageErrorThatListsThem() {
  run "$MOE_PROGRAM" generate --ckpt "$work" --device gpu
  expect_code 2
  expect_in err "auto, cpu, cuda, cuda:N, emulated or checked"
}

ADriverThatIsTooOldIsASentenceWithARemedy() {
  need_cuda_build
  with_fake_driver "$MOE_PROGRAM" doctor
  expect_code 0
  expect_in out "knows CUDA up to 12.4"
  expect_in out "CUDACXX=/usr/local/cuda-12/bin/nvcc cmake --fresh --preset cuda"
  [ -s "$work/log" ] || fail "the doctor did not ask the driver"
  with_fake_driver "$(stage)" --quick --device cuda --out "$work/run"
  expect_code 3
  expect_in err "12.4"
}

# The driver is loaded by the first CUDA call, whichever it is.
TrainingOnTheCpuMakesNoCudaCall() {
  need_cuda_build
  with_fake_driver "$(stage)" --quick --steps 2 --quiet --device cpu --out "$work/run"
  expect_code 0
  [ ! -e "$work/log" ] || fail "the driver was loaded"
  with_fake_driver "$(stage)" --quick --steps 2 --quiet --device auto --out "$work/run2"
  expect_code 0
  [ -s "$work/log" ] || fail "auto did not ask the driver: this test would not see a call"
}

TheProgramsAreNotLinkedAgainstCudaLibraries() {
  need_cuda_build
  for program in "$MOE_PROGRAM" "$(stage)"; do
    run ldd "$program"
    expect_code 0
    for library in libcuda libcublas libnccl; do expect_not_in out "$library"; done
  done
}

run_case "$@"
