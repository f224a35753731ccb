# CUDA, asked for by -DMOE_CUDA=ON (preset cuda): nvcc, the runtime linked statically, cuBLAS only by its header, since it is
# loaded when first needed (kernels/gemm). No GPU is needed to build.
if(NOT MOE_CUDA)
  return()
endif()

include(CheckLanguage)
if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(MOE_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
  if(MOE_NVCC)
    set(CMAKE_CUDA_COMPILER ${MOE_NVCC})
  endif()
endif()

# "80": machine code for 8.x and PTX that newer GPUs compile themselves; "80-real": without the PTX. All of these that nvcc
# knows: 100 and 120 came with CUDA 12.8, and an older nvcc would refuse the whole list.
set(moe_architectures 75 80 90 100 120)
if(NOT DEFINED CACHE{MOE_CUDA_ARCHITECTURES})
  set(moe_nvcc "${CMAKE_CUDA_COMPILER}")
  if(NOT moe_nvcc)
    set(moe_nvcc "$ENV{CUDACXX}")
  endif()
  execute_process(COMMAND ${moe_nvcc} --list-gpu-arch OUTPUT_VARIABLE moe_known ERROR_QUIET)
  if(moe_known MATCHES "compute_75")
    foreach(sm IN LISTS moe_architectures)
      if(NOT moe_known MATCHES "compute_${sm}\n")
        list(REMOVE_ITEM moe_architectures ${sm})
      endif()
    endforeach()
  endif()
endif()
set(MOE_CUDA_ARCHITECTURES "${moe_architectures}" CACHE STRING "Compute capabilities to build for, times ten")
set(CMAKE_CUDA_ARCHITECTURES ${MOE_CUDA_ARCHITECTURES})
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "MOE_CUDA is on, but there is no nvcc that works.\n"
    "  Install CUDA 12.6 or newer (developer.nvidia.com/cuda-downloads), or name its nvcc: CUDACXX=/path/to/nvcc\n"
    "  Without CUDA: cmake --preset cpu")
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
find_path(MOE_CUBLAS_INCLUDE cublas_v2.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
# No ccache for CUDA: it preprocesses once, for the host, so that a change under `#if __CUDA_ARCH__ >= 800` gave the old object
# (ccache 4.7 with two architectures).

# moe_cuda(name folder): all *.cu under `folder`, compiled by nvcc, join library `name`. To be called from a folder of its own:
# elsewhere the same files are C++ (moe_emulated), and a file has one language a folder.
function(moe_cuda name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cu)
  add_library(${name}_cuda OBJECT ${sources})
  target_include_directories(${name}_cuda PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(${name}_cuda SYSTEM PRIVATE
    $<TARGET_PROPERTY:${name},INTERFACE_SYSTEM_INCLUDE_DIRECTORIES>)
  # CMake 3.25 knows no C++20 for CUDA: where it is not required, it is dropped in silence.
  set_target_properties(${name}_cuda PROPERTIES CUDA_STANDARD_REQUIRED OFF)
  target_compile_options(${name}_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 -lineinfo
    --Werror=all-warnings --Wno-deprecated-gpu-targets -Xcompiler=-Wall,-Wextra>)
  target_compile_definitions(${name}_cuda PRIVATE MOE_HAVE_CUDA)
  target_sources(${name} PRIVATE $<TARGET_OBJECTS:${name}_cuda>)
endfunction()
