#!/usr/bin/env bats
# launch/setup.sh --cuda: what is found, what is fetched, and what cannot be had. Cards, nvcc, ldd
# and Python with its pip are fakes.

load fakes
load results

setup() {
  fake_system debian 12
  fake_installed
  fake apt-get <<<'echo "apt-get $*" >>"$BATS_TEST_TMPDIR/apt.log"'
  fake sudo <<<'while [[ $1 == -* ]]; do shift; done; exec "$@"'
  fake update-alternatives <<<'true'
  fake_gpu_machine
  private=$MNIST_DIST_TORCH_DIR
}

setup_cuda() { run "$repository/launch/setup.sh" --cuda "$@"; }

fetched() { sed 's/.*--target [^ ]* //' "$BATS_TEST_TMPDIR/pip.log" 2>/dev/null | xargs; }

@test "does nothing, quietly and in about a second, when all is there" {
  fake_torch "$private/torch" 2.11.0 13.0
  local start=${EPOCHREALTIME/./}
  setup_cuda
  ((${EPOCHREALTIME/./} - start < 2000000))
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ -z "$(fetched)" ]
  setup_cuda --check
  [ "$status" -eq 0 ]
  [[ $output == *"LibTorch 2.11.0 for CUDA 13.0: $private/torch"*"nvcc 13.0: \
$BATS_TEST_TMPDIR/cuda/bin/nvcc"*"NCCL: $BATS_TEST_TMPDIR/cuda"* ]]
}

@test "LibTorch: the environment first, then PyTorch, then the one installed before" {
  fake_torch "$private/torch" 2.11.0 13.0
  setup_cuda --check
  [[ $output == *": $private/torch"* ]]
  export PYTORCH=$BATS_TEST_TMPDIR/site-packages/torch
  fake_torch "$PYTORCH" 2.12.0 13.0
  setup_cuda --check
  [[ $output == *"LibTorch 2.12.0 for CUDA 13.0: $PYTORCH"* ]]
  fake_torch "$BATS_TEST_TMPDIR/libtorch" 2.13.1 13.0 archive
  CMAKE_PREFIX_PATH=/nowhere:$BATS_TEST_TMPDIR/libtorch setup_cuda --check
  [[ $output == *"LibTorch 2.13.1 for CUDA 13.0: $BATS_TEST_TMPDIR/libtorch"* ]]
  CMAKE_PREFIX_PATH="$PYTORCH/share/cmake;$BATS_TEST_TMPDIR/libtorch" setup_cuda --check
  [[ $output == *": $PYTORCH"* ]]
  fake_torch "$BATS_TEST_TMPDIR/other" 2.11.1 13.0
  Torch_DIR=$BATS_TEST_TMPDIR/other/share/cmake/Torch CMAKE_PREFIX_PATH=$BATS_TEST_TMPDIR/libtorch \
    setup_cuda --check
  [[ $output == *": $BATS_TEST_TMPDIR/other"* ]]
}

@test "LibTorch: not one for CPUs, not one that is too old, not half of one" {
  fake_torch "$private/torch" 2.11.0 13.0
  export PYTORCH=$BATS_TEST_TMPDIR/site-packages/torch
  fake_torch "$PYTORCH" 2.10.0 13.0
  setup_cuda --check
  [[ $output == *": $private/torch"* ]]
  fake_torch "$PYTORCH" 2.11.0 13.0
  rm "$PYTORCH/lib/libtorch_cuda.so"
  setup_cuda --check
  [[ $output == *": $private/torch"* ]]
  fake_torch "$PYTORCH" 2.11.0 13.0
  rm "$PYTORCH/share/cmake/Torch/TorchConfig.cmake"
  setup_cuda --check
  [[ $output == *": $private/torch"* ]]
}

@test "nothing installed: LibTorch is fetched, and is complete at once" {
  setup_cuda --check
  [ "$status" -eq 1 ]
  [[ $output == *"missing: LibTorch with CUDA"*"2.11.0 from PyPI"* ]]
  [ -z "$(fetched)" ]
  setup_cuda
  [ "$status" -eq 0 ]
  [[ ${#lines[@]} == 1 && $output == "fetching "*" 2.11.0 "*" $private" ]]
  [ "$(fetched)" = torch==2.11.0 ]
  [ -e "$private/torch/lib/libtorch_cuda.so" ]
  [ "$(ls "$(dirname "$private")")" = "$(basename "$private")" ]
  setup_cuda
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "an interrupted install is never used as LibTorch, and the next one deletes it" {
  fake_pip 'echo "ERROR: Connection broken" && exit 1'
  setup_cuda
  fails 4 "PyPI" "ERROR: Connection broken"
  [ -z "$(ls "$(dirname "$private")")" ]
  # Not even our own end: killed.
  fake_pip 'mkdir -p "$target/torch/lib" && kill -KILL $PPID'
  setup_cuda
  [ "$status" -ne 0 ]
  fake_python
  setup_cuda --check
  [[ $output == *"missing: LibTorch with CUDA"* ]]
  setup_cuda
  [ "$status" -eq 0 ]
  [ "$(ls "$(dirname "$private")")" = "$(basename "$private")" ]
}

@test "libraries that only the wheels have are found, and are fetched again when one is lost" {
  printf '%s\n' libcufile.so.0 libcusparseLt.so.0 libcudnn.so.9 libcuda.so.1 \
    >"$BATS_TEST_TMPDIR/needed"
  setup_cuda
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  setup_cuda
  [ -z "$output" ]
  rm "$private/nvidia/cudnn/lib/libcudnn.so.9" "$BATS_TEST_TMPDIR/pip.log"
  setup_cuda --check
  [ "$status" -eq 1 ]
  [[ $output == *"missing: libcudnn.so.9 "*" $private/torch"* ]]
  setup_cuda
  [ "$status" -eq 0 ]
  [ "$(fetched)" = torch==2.11.0 ]
  [ -e "$private/nvidia/cudnn/lib/libcudnn.so.9" ]
}

@test "a library that no wheel has is an error" {
  echo libstrange.so.1 >"$BATS_TEST_TMPDIR/needed"
  setup_cuda
  fails 4 "missing libstrange.so.1" "cuda-toolkit-13-0 package"
  [ ! -e "$private" ]
}

@test "a LibTorch of the user with missing libraries is not changed" {
  export PYTORCH=$BATS_TEST_TMPDIR/site-packages/torch
  fake_torch "$PYTORCH" 2.11.0 13.0
  echo libcudnn.so.9 >"$BATS_TEST_TMPDIR/needed"
  setup_cuda
  fails 4 "$PYTORCH" "libcudnn.so.9" "LD_LIBRARY_PATH"
  setup_cuda --check
  fails 4 "$PYTORCH" "libcudnn.so.9"
  [ -z "$(fetched)" ]
}

@test "NCCL: from the toolkit, the system, or with the wheel" {
  fake_torch "$private/torch" 2.11.0 13.0
  rm "$BATS_TEST_TMPDIR/cuda/include/nccl.h"
  mkdir -p "$MNIST_DIST_SYSTEM_PREFIX"/{include,lib/x86_64-linux-gnu}
  touch "$MNIST_DIST_SYSTEM_PREFIX/include/nccl.h" \
    "$MNIST_DIST_SYSTEM_PREFIX/lib/x86_64-linux-gnu/libnccl.so.2"
  setup_cuda --check
  [[ $output == *"NCCL: $MNIST_DIST_SYSTEM_PREFIX"* ]]
  rm -r "$private" "$MNIST_DIST_SYSTEM_PREFIX/include/nccl.h"
  setup_cuda
  [ "$status" -eq 0 ]
  [ "$(fetched)" = torch==2.11.0 ]
  setup_cuda --check
  [[ $output == *"NCCL: $private/nvidia/nccl"* ]]
  export PYTORCH=$BATS_TEST_TMPDIR/site-packages/torch
  fake_torch "$PYTORCH" 2.11.0 13.0
  setup_cuda
  fails 4 "missing libnccl.so.2" "libnccl-dev"
}

@test "nvcc: CUDACXX, PATH, CUDA_HOME, /usr/local/cuda, and a folder by version beside it" {
  fake_torch "$private/torch" 2.11.0 13.0
  fake_nccl "$MNIST_DIST_SYSTEM_PREFIX"
  nvcc_is() { setup_cuda --check && [[ $output == *"nvcc $2: $1"* ]] ||
    { echo "not $1: $output" && return 1; }; }
  rm "$MNIST_DIST_CUDA_FOLDER/bin/nvcc"
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER-13.1" 13.1
  nvcc_is "$MNIST_DIST_CUDA_FOLDER-13.1/bin/nvcc" 13.1
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER" 13.0
  nvcc_is "$MNIST_DIST_CUDA_FOLDER/bin/nvcc" 13.0
  fake_nvcc "$BATS_TEST_TMPDIR/home" 13.2
  CUDA_HOME=$BATS_TEST_TMPDIR/home nvcc_is "$BATS_TEST_TMPDIR/home/bin/nvcc" 13.2
  fake_nvcc "$BATS_TEST_TMPDIR/path" 13.3
  PATH=$BATS_TEST_TMPDIR/path/bin:$PATH CUDA_HOME=$BATS_TEST_TMPDIR/home nvcc_is \
    "$BATS_TEST_TMPDIR/path/bin/nvcc" 13.3
  fake_nvcc "$BATS_TEST_TMPDIR/named" 13.4
  PATH=$BATS_TEST_TMPDIR/path/bin:$PATH CUDACXX=$BATS_TEST_TMPDIR/named/bin/nvcc nvcc_is \
    "$BATS_TEST_TMPDIR/named/bin/nvcc" 13.4
  # Another generation's is passed over.
  fake_nvcc "$BATS_TEST_TMPDIR/path" 12.6
  PATH=$BATS_TEST_TMPDIR/path/bin:$PATH nvcc_is "$MNIST_DIST_CUDA_FOLDER/bin/nvcc" 13.0
}

@test "no nvcc, or one of a different generation: an error before anything is fetched" {
  rm "$MNIST_DIST_CUDA_FOLDER/bin/nvcc"
  setup_cuda
  fails 4 "CUDA 13" "LibTorch 2.11.0" "cuda-toolkit-13-0" "CUDACXX"
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER" 12.6
  PATH=$MNIST_DIST_CUDA_FOLDER/bin:$PATH setup_cuda
  fails 4 "$MNIST_DIST_CUDA_FOLDER/bin/nvcc of CUDA 12.6" "cuda-toolkit-13-0"
  [ -z "$(fetched)" ]
}

@test "cards that PyPI's build has code for: the oldest, the newest, one of a known generation" {
  local card
  for card in "Tesla T4, 7.5" "NVIDIA GeForce RTX 5090, 12.0" "An unknown one, 8.7"; do
    fake_cards "$card"
    setup_cuda --check
    [ "$status" -eq 1 ] || { echo "$card: $output" && return 1; }
    [[ $output == *"missing: LibTorch with CUDA"* ]]
  done
}

@test "a V100: an error with the instruction, before anything is fetched" {
  fake_cards "Tesla T4, 7.5" "Tesla V100-SXM2-16GB, 7.0"
  setup_cuda
  fails 4 "Tesla V100-SXM2-16GB (sm_70)" "2.11-2.14" "CUDA 12.6" "2.11.0" "CUDA 13.0" \
    "cu126" "CMAKE_PREFIX_PATH" "cuda-toolkit-12-6"
  [ -z "$(fetched)" ]
  # A PyTorch that happens to be here is no better.
  export PYTORCH=$BATS_TEST_TMPDIR/site-packages/torch
  fake_torch "$PYTORCH" 2.11.0 13.0
  setup_cuda --check
  fails 4 "LibTorch 2.11.0 in $PYTORCH,"
}

@test "a V100 with its requirements" {
  fake_cards "Tesla V100-SXM2-16GB, 7.0"
  fake_torch "$BATS_TEST_TMPDIR/libtorch" 2.14.0 12.6 archive
  export CMAKE_PREFIX_PATH=$BATS_TEST_TMPDIR/libtorch
  setup_cuda
  fails 4 "CUDA 12" "cuda-toolkit-12-6"
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER-12.6" 12.6
  setup_cuda
  fails 4 "missing libnccl.so.2" "libnccl-dev"
  fake_nccl "$MNIST_DIST_CUDA_FOLDER-12.6"
  setup_cuda
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  fake_torch "$BATS_TEST_TMPDIR/libtorch" 2.15.0 12.6 archive
  setup_cuda
  fails 4 "needs LibTorch 2.11-2.14"
}

@test "a B200 with a LibTorch for CUDA 12.6" {
  fake_cards "NVIDIA B200, 10.0"
  fake_torch "$BATS_TEST_TMPDIR/libtorch" 2.11.0 12.6 archive
  CMAKE_PREFIX_PATH=$BATS_TEST_TMPDIR/libtorch setup_cuda
  fails 4 "(sm_100)" "CUDA 12.8"
}

@test "cards that are too old, or newer than the table" {
  local card
  for card in "NVIDIA GeForce GTX 1080, 6.1" "NVIDIA Z1, 20.0"; do
    fake_cards "$card"
    setup_cuda
    fails 4 "${card%,*} (sm_" "no supported LibTorch" "without --cuda"
  done
}

@test "no nvidia-smi, or an old one: the card's name and the table decide" {
  rm "$BATS_TEST_TMPDIR/bin/nvidia-smi"
  mkdir -p "$MNIST_DIST_PROC/driver/nvidia/gpus/0000:00:1e.0"
  printf 'Model: \t\t Tesla V100-SXM2-16GB\nIRQ: 11\n' \
    >"$MNIST_DIST_PROC/driver/nvidia/gpus/0000:00:1e.0/information"
  setup_cuda
  fails 4 "Tesla V100-SXM2-16GB (sm_70)"
  fake nvidia-smi <<<'echo "Field \"compute_cap\" is not a valid field to query."; exit 2'
  setup_cuda
  fails 4 "Tesla V100-SXM2-16GB (sm_70)"
  # An unknown name is no failure.
  printf 'Model: \t\t NVIDIA Z9000\n' \
    >"$MNIST_DIST_PROC/driver/nvidia/gpus/0000:00:1e.0/information"
  setup_cuda --check
  [ "$status" -eq 1 ]
}

@test "a full disk, a folder that cannot be written" {
  fake df <<'SCRIPT'
echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
echo "/dev/x 9 9 1234567 9% /"
SCRIPT
  setup_cuda
  fails 3 "expected 9 GB" "MNIST_DIST_TORCH_DIR"
  rm "$BATS_TEST_TMPDIR/bin/df"
  touch "$BATS_TEST_TMPDIR/file"
  MNIST_DIST_TORCH_DIR=$BATS_TEST_TMPDIR/file/torch setup_cuda
  fails 3 "$BATS_TEST_TMPDIR/file" "MNIST_DIST_TORCH_DIR"
  [ -z "$(fetched)" ]
}

@test "no pip: the system's own Python, or pip from apt" {
  export NO_PIP=1
  fake apt-get <<'SCRIPT'
[[ $* == *"install"*" python3-pip" ]] || exit 0
python=$MNIST_DIST_SYSTEM_PREFIX/bin/python3
mkdir -p "$(dirname "$python")"
printf '#!/bin/bash\nNO_PIP= exec python3 "$@"\n' >"$python"
chmod +x "$python"
SCRIPT
  setup_cuda
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  [[ $output == *"apt: python3-pip"* ]]
  [ "$(fetched)" = torch==2.11.0 ]
  rm -r "$private" "$BATS_TEST_TMPDIR/pip.log"
  setup_cuda
  [ "$status" -eq 0 ]
  [[ $output != *apt* ]]
  [ "$(fetched)" = torch==2.11.0 ]
  rm -r "$private" "${MNIST_DIST_SYSTEM_PREFIX:?}/bin"
  fake apt-get <<<'true'
  setup_cuda
  fails 4 "3.10"
}

@test "missing packages and missing parts are listed together" {
  fake_installed ninja-build
  setup_cuda --check
  [ "$status" -eq 1 ]
  [[ $output == *"ninja-build "*"missing: LibTorch with CUDA"* ]]
}

@test "two set-ups at once: one fetches, the other waits" {
  fake_pip 'sleep 1'
  "$repository/launch/setup.sh" --cuda 3>&- &
  sleep 0.5
  setup_cuda
  [ "$status" -eq 0 ]
  wait $!
  [ "$(fetched)" = torch==2.11.0 ]
}
