// MOE_HOST_DEVICE: functions of a header that both the CPU's versions and the kernels of a .cu file call.
#pragma once

#if defined(__CUDACC__)
#define MOE_HOST_DEVICE __host__ __device__
#else
#define MOE_HOST_DEVICE
#endif
