#!/usr/bin/env bash
# All checks before a change goes in: set-up, build, all tests. Arguments go to ctest, e.g.
# tests/run.sh -R comm
# tests/run.sh --cuda: the build for GPUs instead, and only its tests (labels cuda and gpu). Those
# with the label gpu need a GPU.
# tests/run.sh --sanitize: the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, and
# each fuzz target for 6 seconds. Skipped without Clang and its libFuzzer. Left out: tests of whole
# programs (labels, cli.), the same kernels for longer (fused_one_hash, and the seed's models on all
# targets but avx2), and long tests that only count (comm.TreeRounds) or measure statistics.
set -euo pipefail
# shellcheck source=../launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

# The only way to pass without a build: parts of it are missing. 4: no toolkit, or no LibTorch for
# it. 3: no space for that.
set_up_cuda_or_skip() {
  local code=0 log problem
  log=$(temporary -q)
  (setup --cuda && cuda_options) >"$log" 2>&1 || code=$?
  case $code in
    0) ;;
    3 | 4)
      problem=$(sed -n 's/^error: //p' "$log" | tail -n 1)
      echo "skipped: the CUDA build has missing parts: $problem"
      ;;
    *) cat "$log" >&2 ;;
  esac
  rm -f "$log"
  case $code in 0) ;; 3 | 4) exit 0 ;; *) exit "$code" ;; esac
}

has_libfuzzer() {
  command -v clang++ >/dev/null &&
    clang++ -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null <<'CODE'
extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }
CODE
}

if [[ ${1:-} == --sanitize ]]; then
  shift
  setup --tests || say "note: launch/setup.sh --tests failed"
  if ! has_libfuzzer; then
    echo "skipped: the build with sanitizers needs Clang with libFuzzer (launch/setup.sh --tests)"
    exit 0
  fi
  cd "$root"
  # In a folder of a different compiler, CMake ignores the preset's options.
  quietly cmake --fresh --preset sanitize ||
    die 1 "cmake: cannot configure the preset sanitize" "read the messages above"
  quietly cmake --build --preset sanitize -j "$(build_jobs)" ||
    die 1 "the build failed" "read the messages above"
  # Fuzz targets run by the clock, so several share a core.
  exec ctest --preset sanitize --no-tests=error --repeat after-timeout:2 \
    -j "$((2 * $(nproc) + 1))" "$@"
fi

if [[ ${1:-} == --cuda ]]; then
  shift
  use_cuda
  set_up_cuda_or_skip
  build_targets mnist-dist cuda_tests
  exec ctest --test-dir "$build" --output-on-failure --no-tests=error -L '^(cuda|gpu)$' \
    -j "$(nproc)" "$@"
fi

setup
[[ ${MNIST_DIST_SETUP:-} == skip ]] || "$root/launch/setup.sh" --tests ||
  say "note: without these packages the tests of clusters (labels multihost, slurm) are skipped"
build_targets all
if loopback_is_down; then
  # In a separate network namespace, the tests may do this. mpirun and ssh need it.
  ip link set lo up 2>/dev/null ||
    die 4 "the loopback interface is down, and many tests need it" "run as root: ip link set lo up"
  say "note: the loopback interface was down and is up now"
fi
# A test that exceeds its time limit, for example on a busy machine, is repeated once. A failure is
# not. Three more tests than cores run at once, because tests of clusters and scripts mostly wait.
exec ctest --test-dir "$build" --output-on-failure --repeat after-timeout:2 \
  -j "$(($(nproc) + 3))" "$@"
