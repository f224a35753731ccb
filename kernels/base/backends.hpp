// Versions of an operation that are written in .cu files, as its table sees them.
//
//   MOE_DEVICE_VERSION(Softmax<float>, softmax_naive)           in versions.hpp, namespace moe: declares it, per backend
//   MOE_DEVICE_ROWS("1_naive", softmax_naive)                   in the table: a row for each backend that this build has
//   MOE_DEVICE_ROWS_FOR("2_mma", gemm_mma, 80, DType::bf16)     the same for compute capability 8.0 and bf16 operands
#pragma once

#define MOE_DEVICE_VERSION(Signature, name) \
  namespace kernels_emulated {              \
  Signature name;                           \
  }                                         \
  namespace kernels_checked {               \
  Signature name;                           \
  }                                         \
  namespace kernels_cuda {                  \
  Signature name;                           \
  }

#ifdef MOE_HAVE_EMULATED
#define MOE_EMULATED_ROW_(name, function, sm, inputs) \
  {name, DeviceKind::emulated, sm, kernels_emulated::function, inputs},
#else
#define MOE_EMULATED_ROW_(name, function, sm, inputs)
#endif
#ifdef MOE_HAVE_CHECKED
#define MOE_CHECKED_ROW_(name, function, sm, inputs) \
  {name, DeviceKind::checked, sm, kernels_checked::function, inputs},
#else
#define MOE_CHECKED_ROW_(name, function, sm, inputs)
#endif
#ifdef MOE_HAVE_CUDA
#define MOE_CUDA_ROW_(name, function, sm, inputs) \
  {name, DeviceKind::cuda, sm, kernels_cuda::function, inputs},
#else
#define MOE_CUDA_ROW_(name, function, sm, inputs)
#endif

#define MOE_DEVICE_ROWS_FOR(name, function, sm, inputs) \
  MOE_EMULATED_ROW_(name, function, sm, inputs)         \
  MOE_CHECKED_ROW_(name, function, sm, inputs)          \
  MOE_CUDA_ROW_(name, function, sm, inputs)
#define MOE_DEVICE_ROWS(name, function) MOE_DEVICE_ROWS_FOR(name, function, 0, DType::f32)
