#!/usr/bin/env bash
# `moe bench ptxas` must find what it exists for. An nvcc of our own says what the real one would, spoiled in one thing.
# shellcheck source=tests/cli/support.sh
# shellcheck disable=SC2016
. "$(dirname -- "$0")/support.sh"

# A good tensor-core file, and what nvcc says of it and makes of it for sm_90.
good_file() {
  mkdir -p "$work/kernels/gemm"
  printf '// Tensor cores.\n// PTX: mma.sync, ldmatrix, cp.async\n#include "a.hpp"\n' >"$work/kernels/gemm/3_mma.cu"
  cat >"$work/log" <<'LOG'
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN3moe12kernels_cuda10mma_kernelILb0ELb1EEEvPf' for 'sm_90'
ptxas info    : Function properties for _ZN3moe12kernels_cuda10mma_kernelILb0ELb1EEEvPf
    16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 70 registers, used 1 barriers, 40 bytes cumulative stack size, 18432 bytes smem, 488 bytes cmem[0]
ptxas info    : Function properties for __internal_trig_reduction_slowpathd
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Compiling entry function '_ZN3moe12kernels_cuda12plain_kernelEPf' for 'sm_90'
ptxas info    : Function properties for _ZN3moe12kernels_cuda12plain_kernelEPf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers
LOG
  cat >"$work/ptx" <<'PTX'
.visible .entry _ZN3moe12kernels_cuda10mma_kernelILb0ELb1EEEvPf(
)
{
	cp.async.ca.shared.global [%r1], [%rd1], 16, %r2;
	ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1,%r2,%r3,%r4}, [%r5];
	mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1,%f2,%f3,%f4}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, {%f1,%f2,%f3,%f4};
	ret;
}
.visible .entry _ZN3moe12kernels_cuda12plain_kernelEPf(
)
{
	ret;
}
PTX
  cat >"$work/nvcc" <<'NVCC'
#!/bin/sh
case $1 in
  --version) echo "Cuda compilation tools, release 13.0, V13.0.88"; exit ;;
  --list-gpu-arch) printf 'compute_80\ncompute_90\n'; exit ;;
esac
while [ "$1" != --keep-dir ]; do shift; done
cp "$work/ptx" "$2/3_mma.ptx"
cat "$work/log" >&2
exit "${FAKE_CODE:-0}"
NVCC
  chmod +x "$work/nvcc"
  export work CUDACXX=$work/nvcc
}

bench() { run env -C "$work" "$MOE_PROGRAM" bench ptxas "$@" --json; }
spoil() { sed -i "$2" "$work/$1"; }
finds() {  # finds SENTENCE: about the spoiled file
  bench --sm 90 kernels/gemm/3_mma.cu
  expect_code 1
  expect_in err "kernels/gemm/3_mma.cu: $1"
}

AGoodFileIsShownKernelByKernel() {
  good_file
  bench --sm 90
  expect_code 0
  tr -d ' \n' <"$work/out" >"$work/row" && mv "$work/row" "$work/out"
  expect_in out '"kernel,bynvcc13.0.88":"mma_kernel<false,true>","file":"gemm/3_mma.cu","sm_90":70,"shared":18432,"stack":40,"spilled":0,"tensorcores":"cp.async,ldmatrix,mma.sync"'
  expect_in out '"plain_kernel","file":"gemm/3_mma.cu","sm_90":8,"shared":0,"stack":0,"spilled":0,"tensorcores":""'
}

ASpillIsFound() { good_file; spoil log '4s/0 bytes spill stores, 0/24 bytes spill stores, 8/'; finds "sm_90: mma_kernel<false, true> spills 32 bytes"; }
ASpillInAFunctionThatIsCalledIsFound() { good_file; spoil log '7s/0 bytes spill loads/8 bytes spill loads/'; finds "sm_90: mma_kernel<false, true> spills 8 bytes"; }
AWarningIsFound() { good_file; spoil log '1iptxas warning : Registers are spilled'; finds "nvcc ends with code 0 and says"; expect_in err "ptxas warning"; }
AnErrorIsFound() { good_file; spoil log '1ia.cu(3): error: expected a ";"'; export FAKE_CODE=2; finds "nvcc ends with code 2 and says"; expect_in err 'expected a ";"'; }
AnInstructionThatIsClaimedAndAbsentIsFound() { good_file; spoil ptx '/cp.async/d'; finds "no cp.async in its PTX for sm_90, but it claims it"; }
AnInstructionThatNobodyLooksForIsFound() { good_file; spoil kernels/gemm/3_mma.cu 's/ldmatrix/wgmma/'; finds "claims wgmma, which nobody looks for"; }
ATensorCoreFileThatClaimsNothingIsFound() { good_file; spoil kernels/gemm/3_mma.cu '2d'; finds "its name promises tensor cores"; }
AClaimBelowTheFirstCommentIsNone() { good_file; spoil kernels/gemm/3_mma.cu '2{h;d};${G}'; finds "its name promises tensor cores"; }
AFileWithoutKernelsIsFound() { good_file; : >"$work/log"; finds "no kernel for sm_90"; }
WordsThatAreNotUnderstoodAreFound() { good_file; spoil log 's/spill stores/stores spilled/'; finds "sm_90: plain_kernel: ptxas's words are not understood"; }

BelowTensorCoresAClaimIsNotChecked() {
  good_file
  : >"$work/ptx"
  sed -i 's/sm_90/sm_75/' "$work/log"
  bench --sm 75
  expect_code 0
}

CapabilitiesThatNvccDoesNotKnowAreLeftOut() {
  good_file
  sed -i 's/80//' "$work/nvcc"
  bench
  expect_code 0
  expect_in err "nvcc 13.0.88 does not compile for sm_120: left out"
  expect_not_in err "sm_90: left out"
}

WithoutNvccItEndsWithCode3() {
  good_file
  export CUDACXX=$work/nothing
  bench
  expect_code 3
  expect_in err "developer.nvidia.com"
}

AFileThatIsNotThereIsABadFile() {
  good_file
  bench kernels/none.cu
  expect_code 4
  expect_in err "kernels/none.cu"
  expect_empty out
}

OutsideTheRepositoryItSaysSo() {
  good_file
  rm -r "$work/kernels"
  bench
  expect_code 2
  expect_in err "repository's root"
}

# With the real one: that its words are still those that are looked for.
ARealSpillIsFound() {
  command -v nvcc >/dev/null || skip "no nvcc"
  mkdir -p "$work/kernels"
  cat >"$work/kernels/a.cu" <<'CU'
__global__ void __launch_bounds__(1024) many(float* x) {  // 64 registers a thread
  float v[128];
#pragma unroll
  for (int i = 0; i < 128; ++i) v[i] = x[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 128; ++i) x[i * 1024 + threadIdx.x] = v[127 - i] * v[i];
}
CU
  bench --sm 75,90
  expect_code 1
  expect_in err "kernels/a.cu: sm_90: many spills "
  expect_in err "kernels/a.cu: sm_75: many spills "
}

ARealWarningIsFound() {
  command -v nvcc >/dev/null || skip "no nvcc"
  mkdir -p "$work/kernels"
  echo '__global__ void idle(float* x) { int unused; *x = 1; }' >"$work/kernels/a.cu"
  bench --sm 90
  expect_code 1
  expect_in err "never referenced"
}

run_case "$@"
