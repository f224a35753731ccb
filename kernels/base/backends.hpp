// Versions of an operation that are written in .cu files, as its table sees them.
//
//   MOE_DEVICE_VERSION(Softmax<float>, softmax_naive)           in versions.hpp, namespace moe: declares it, per backend
//   MOE_DEVICE_ROWS("1_naive", softmax_naive)                   in the table: a row for each backend that this build has
//   MOE_DEVICE_ROWS_FOR("2_mma", gemm_mma, 80, DType::bf16)     the same for compute capability 8.0 and bf16 operands
//   MOE_COMPOSED_ROWS("separate", function)                     one function for all of them: it only calls other operations
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
#define MOE_EMULATED_COMPOSED_(name, function) {name, DeviceKind::emulated, 0, function},
#else
#define MOE_EMULATED_ROW_(name, function, sm, inputs)
#define MOE_EMULATED_COMPOSED_(name, function)
#endif
#ifdef MOE_HAVE_CHECKED
#define MOE_CHECKED_ROW_(name, function, sm, inputs) \
  {name, DeviceKind::checked, sm, kernels_checked::function, inputs},
#define MOE_CHECKED_COMPOSED_(name, function) {name, DeviceKind::checked, 0, function},
#else
#define MOE_CHECKED_ROW_(name, function, sm, inputs)
#define MOE_CHECKED_COMPOSED_(name, function)
#endif
#ifdef MOE_HAVE_CUDA
#define MOE_CUDA_ROW_(name, function, sm, inputs) \
  {name, DeviceKind::cuda, sm, kernels_cuda::function, inputs},
#define MOE_CUDA_COMPOSED_(name, function) {name, DeviceKind::cuda, 0, function},
#else
#define MOE_CUDA_ROW_(name, function, sm, inputs)
#define MOE_CUDA_COMPOSED_(name, function)
#endif

#define MOE_DEVICE_ROWS_FOR(name, function, sm, inputs) \
  MOE_EMULATED_ROW_(name, function, sm, inputs)         \
  MOE_CHECKED_ROW_(name, function, sm, inputs)          \
  MOE_CUDA_ROW_(name, function, sm, inputs)
#define MOE_DEVICE_ROWS(name, function) MOE_DEVICE_ROWS_FOR(name, function, 0, DType::f32)
#define MOE_COMPOSED_ROWS(name, function) \
  MOE_EMULATED_COMPOSED_(name, function)  \
  MOE_CHECKED_COMPOSED_(name, function)   \
  MOE_CUDA_COMPOSED_(name, function)
