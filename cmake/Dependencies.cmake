# Finds every external library once, except LibTorch, which src/engine/torch finds.
# launch/setup.sh installs them.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
# Where no network interface is up, Open MPI's mpicc warns on stderr, and FindMPI reads that as
# options.
set(ENV{OMPI_MCA_if} "^posix_ipv4,linux_ipv6")
find_package(MPI REQUIRED COMPONENTS C)
unset(ENV{OMPI_MCA_if})
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
# Not the copies of a different version in PyTorch's packages, which CMAKE_PREFIX_PATH may have.
set(system_only NO_CMAKE_PATH NO_CMAKE_ENVIRONMENT_PATH)
find_path(Protobuf_INCLUDE_DIR google/protobuf/service.h ${system_only})
find_library(Protobuf_LIBRARY_RELEASE protobuf ${system_only})
find_program(Protobuf_PROTOC_EXECUTABLE protoc ${system_only})
set(protobuf_MODULE_COMPATIBLE ON)  # for protobuf_generate
find_package(Protobuf REQUIRED)
find_package(PNG REQUIRED)
# mnist_dist_find_library(NAME header): a library without CMake files of its own, as target NAME.
function(mnist_dist_find_library name header)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  find_library(${name}_LIBRARY ${name} REQUIRED)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} SYSTEM INTERFACE "${${name}_INCLUDE_DIR}")
  target_link_libraries(${name} INTERFACE "${${name}_LIBRARY}")
endfunction()
mnist_dist_find_library(turbojpeg turbojpeg.h)
mnist_dist_find_library(exif libexif/exif-data.h)
mnist_dist_find_library(netpbm netpbm/pgm.h)
find_package(hwy REQUIRED)
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)  # Boost's own CMake files: newer CMakes have none for it
endif()
find_package(Boost REQUIRED)  # headers only: Boost.Math
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
add_library(random123 INTERFACE)
target_include_directories(random123 SYSTEM INTERFACE "${RANDOM123_INCLUDE_DIR}")
if(MNIST_DIST_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(MNIST_DIST_CUDA)
  # One of CUDA's own builds for each kind of card that LibTorch has code for, and for cards newer
  # than these.
  set(MNIST_DIST_CUDA_ARCHITECTURES "75;80;86;89;90;100;120" CACHE STRING
    "Compute capabilities to build for")
  set(CMAKE_CUDA_ARCHITECTURES "${MNIST_DIST_CUDA_ARCHITECTURES}")
  # For messages: a definition cannot hold semicolons.
  list(JOIN MNIST_DIST_CUDA_ARCHITECTURES "," MNIST_DIST_CUDA_ARCHITECTURES_TEXT)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # LibTorch's
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # unknown to CMake 3.25, but nvcc has it
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  find_package(CUDAToolkit REQUIRED)
  # NCCL comes with the toolkit, beside an installed PyTorch, or from the system.
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ${CMAKE_PREFIX_PATH}
    PATH_SUFFIXES ../../nvidia/nccl/include ../../../nvidia/nccl/include REQUIRED)
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2
    HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT}/lib ${NCCL_INCLUDE_DIR}/../lib
    REQUIRED)
  add_library(nccl INTERFACE)
  target_include_directories(nccl SYSTEM INTERFACE "${NCCL_INCLUDE_DIR}")
  target_link_libraries(nccl INTERFACE "${NCCL_LIBRARY}")
endif()
