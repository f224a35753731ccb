// In place of NVIDIA's driver library, libcuda.so.1: tells a file that it was loaded, knows CUDA 12.4 and has no GPU.
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void loaded(void) {
  const char* path = getenv("MOE_FAKE_DRIVER_LOG");
  FILE* file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  fputs("loaded\n", file);
  fclose(file);
}

int cuDriverGetVersion(int* version) {
  *version = 12040;
  return 0;
}

int cuInit(unsigned flags) {
  (void)flags;
  return 100;  // CUDA_ERROR_NO_DEVICE
}
