#!/usr/bin/env bats
# tests/run.sh: builds and runs of each stage, and the cases in which one passes without
# having done so. cmake, ctest and clang++ are fakes.

load fakes

setup() {
  checkout=$BATS_TEST_TMPDIR/checkout
  mkdir -p "$checkout/tests"
  cp -r "$repository/launch" "$checkout/"
  cp "$repository/tests/run.sh" "$checkout/tests/"
  touch "$checkout/CMakeLists.txt"
  unset MNIST_DIST_SETUP MNIST_DIST_BUILD_DIR MNIST_DIST_CUDA
  fake_gpu_machine
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  set_up_ends 0
  fake cmake <<<'echo "cmake $*" >>"$BATS_TEST_TMPDIR/log"'
  fake ctest <<<'echo "ctest $*" >>"$BATS_TEST_TMPDIR/log"; exit "${CTEST_CODE:-0}"'
}

# set_up_ends CODE [ERROR]: launch/setup.sh
set_up_ends() {
  printf '#!/bin/bash\necho "setup $*" >>"$BATS_TEST_TMPDIR/log"\n%s\nexit %s\n' \
    "${2:+echo 'error: $2' >&2}" "$1" >"$checkout/launch/setup.sh"
}

@test "builds for GPUs, and runs only the tests of that build" {
  run "$checkout/tests/run.sh" --cuda --verbose
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  run cat "$BATS_TEST_TMPDIR/log"
  [[ ${lines[0]} == "setup --cuda" ]]
  [[ ${lines[1]} == "cmake -S $checkout -B $checkout/build-cuda "*"-DMNIST_DIST_CUDA=ON"* ]]
  [[ ${lines[2]} == "cmake --build $checkout/build-cuda "*"--target mnist-dist cuda_tests" ]]
  [[ ${lines[3]} == "ctest --test-dir $checkout/build-cuda "*"--no-tests=error -L ^(cuda|gpu)$ -j \
"*" --verbose" ]]
}

@test "skipped, with a line, if parts of the build are missing" {
  set_up_ends 4 "there is no nvcc of CUDA 13"
  run "$checkout/tests/run.sh" --cuda
  [ "$status" -eq 0 ]
  [[ ${#lines[@]} == 1 && $output == "skipped: "*": there is no nvcc of CUDA 13" ]]
  ! grep -q cmake "$BATS_TEST_TMPDIR/log" || false
  # Without set-up, the installed parts decide.
  rm -r "$MNIST_DIST_TORCH_DIR"
  MNIST_DIST_SETUP=skip run "$checkout/tests/run.sh" --cuda
  [ "$status" -eq 0 ]
  [[ $output == "skipped: "*LibTorch* ]]
}

@test "anything else that fails is a failure" {
  set_up_ends 1 "apt could not install the missing packages"
  run "$checkout/tests/run.sh" --cuda
  [ "$status" -eq 1 ]
  [[ $output == *"error: apt could not install the missing packages"* ]]
  set_up_ends 0
  CTEST_CODE=8 run "$checkout/tests/run.sh" --cuda
  [ "$status" -eq 8 ]
  fake cmake <<<'echo "x.cu(1): error"; exit 1'
  run "$checkout/tests/run.sh" --cuda
  [ "$status" -eq 1 ]
  [[ $output == *"x.cu(1): error"* ]]
}

@test "without --cuda, the plain build and all tests" {
  run "$checkout/tests/run.sh" -R comm
  [ "$status" -eq 0 ]
  ! grep -q build-cuda "$BATS_TEST_TMPDIR/log" || false
  grep -q -- "--build $checkout/build .*--target all" "$BATS_TEST_TMPDIR/log"
}

@test "--sanitize: unit tests and fuzz targets, in a preset" {
  fake clang++ <<<'exit 0'
  run "$checkout/tests/run.sh" --sanitize -R data
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  run cat "$BATS_TEST_TMPDIR/log"
  [[ ${lines[0]} == "setup --tests" ]]
  [[ ${lines[1]} == "cmake --fresh --preset sanitize" ]]
  [[ ${lines[2]} == "cmake --build --preset sanitize "* ]]
  [[ ${lines[3]} == "ctest --preset sanitize --no-tests=error "*"-R data" ]]
  CTEST_CODE=8 run "$checkout/tests/run.sh" --sanitize
  [ "$status" -eq 8 ]
}

@test "--sanitize: skipped, with a line, without libFuzzer" {
  fake clang++ <<<'exit 1'
  set_up_ends 1 "apt could not install the missing packages"
  run "$checkout/tests/run.sh" --sanitize
  [ "$status" -eq 0 ]
  [[ $output == *"skipped: "*libFuzzer* ]]
  ! grep -q cmake "$BATS_TEST_TMPDIR/log" || false
}
