// Versions of an operation that are written in .cu files, as its table sees them.
//
//   MOE_DEVICE_VERSION(Softmax<float>, softmax_naive)           in versions.hpp, namespace moe: declares it, per backend
//   MOE_EMULATED_ROW("1_naive", softmax_naive)                  in the table: a row, or nothing where this build has no
//                                                               emulated device
#pragma once

#define MOE_DEVICE_VERSION(Signature, name) \
  namespace kernels_emulated {              \
  Signature name;                           \
  }                                         \
  namespace kernels_cuda {                  \
  Signature name;                           \
  }

#ifdef MOE_HAVE_EMULATED
#define MOE_EMULATED_ROW(name, function) {name, DeviceKind::emulated, 0, kernels_emulated::function},
#else
#define MOE_EMULATED_ROW(name, function)
#endif
