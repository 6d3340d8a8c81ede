#!/usr/bin/env bash
# Builds the fused engine with several compilers and levels of optimisation and checks that each
# build ends in the recorded hashes on every SIMD target.
# Usage: tests/one_hash.sh [COMPILER,LEVEL ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export MNIST_DIST_SLOW_TESTS=1

builds=("$@")
((${#builds[@]})) || builds=("g++,-O3" "g++,-O2" "g++,-O0" "clang++,-O3" "clang++,-O0")
failed=0
for build in "${builds[@]}"; do
  compiler=${build%%,*} level=${build#*,}
  command -v "$compiler" >/dev/null || { echo "$compiler $level: not installed"; continue; }
  folder=build-one-hash/$compiler$level
  cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_CXX_FLAGS_RELEASE="$level -DNDEBUG" \
    -DMNIST_DIST_TORCH=OFF >/dev/null
  ninja -C "$folder" fused_one_hash_test base_test >/dev/null
  # At -O0 two hundred steps take many minutes.
  filter='*'
  if [[ $level == -O0 ]]; then filter='*AfterThreeSteps*'; fi
  if "$folder/fused_one_hash_test" --gtest_brief=1 --gtest_filter="$filter" &&
    "$folder/base_test" --gtest_brief=1 --gtest_filter='PortableMath.*'; then
    echo "$("$compiler" --version | head -1), $level: the recorded hashes"
  else
    echo "$compiler $level: OTHER HASHES"
    failed=1
  fi
done
exit $failed
