# Shared by the bats files of this folder. CTest sets MNIST_DIST (the program) and TEST_DATA (a
# small file of synthetic digits).
load ../wait_for
export NO_COLOR=1
export LC_ALL=C
export TERM=xterm  # the tests do not depend on the terminal of the caller
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-180}

# A quick recipe: step 3 with all its dropout and augmentation, on 2,000 of the synthetic rows.
QUICK=(--config step3 --set "data.file=$TEST_DATA" --set 'data.split=[2000,500]')
# Two short epochs of a tiny model.
TINY=(--config "$SOURCE_DIR/tests/tiny.toml" --set "data.file=$TEST_DATA"
  --set 'data.split=[600,300]')

# MNIST is the source tree's own.
unset MNIST_DATA_DIR

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cp -r "$SOURCE_DIR/configs" .
}

# ranks N ARGUMENTS...: mnist-dist on N ranks, on any number of cores.
ranks() {
  local n=$1
  shift
  mpirun_command "$n"
  "${MPIRUN[@]}" "$MNIST_DIST" "$@"
}

# Skips a test that needs the reference engine, in a build without.
has_torch() { [ -e "$(dirname "$MNIST_DIST")/libmnist-dist-torch.so" ]; }
needs_torch() { has_torch || skip "this build has no reference engine, which needs LibTorch"; }

# unlike SCRIPT ARGUMENTS...: two ranks that run one line of Bash each, which has its RANK. (Not
# mpirun's own "PROGRAM : PROGRAM", which crashes in Debian 13's Open MPI 5.0.7.)
unlike() {
  local script=$1
  shift
  mpirun_command 2
  "${MPIRUN[@]}" bash -c "RANK=\$OMPI_COMM_WORLD_RANK; $script" bash "$@"
}

# Sets MPIRUN to a command that starts N ranks, as cmake/MpiTest.cmake does.
mpirun_command() {
  if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
  # The one that belongs to the linked MPI, where another MPI's stands first in PATH.
  local mpirun=mpirun version
  version=$(mpirun --version 2>&1) || true
  if [[ $version != *"(Open "* ]]; then mpirun=$MPIEXEC version=$("$MPIEXEC" --version); fi
  # Open MPI unloads its parts before LeakSanitizer can find out whose memory it was:
  # tests/lsan.supp is in vain.
  MPIRUN=(env ASAN_OPTIONS=detect_leaks=0 "$mpirun" --oversubscribe --bind-to none
    --mca btl_tcp_if_include lo -np "$1")
  # Open MPI 4 leaves out its banner about exit codes. Open MPI 5 cannot.
  if [[ $version == *") 4."* ]]; then MPIRUN+=(-q); fi
}

# own_stderr COMMAND...: runs it. `stderr` and `stderr_lines` are without Open MPI 5's lines about
# an exit code, between two rules, and about its own parts.
own_stderr() {
  run --separate-stderr "$@"
  stderr=$(sed '/^-\{60,\}$/,/^-\{60,\}$/d; /PMIX ERROR/d; /^\[warn\] Epoll/d; /^[[:space:]]*$/d' \
    <<<"$stderr")
  mapfile -t stderr_lines <<<"$stderr"
  echo "exit $status, stderr: $stderr"
}

# fails CODE TEXT COMMAND...: the command ends with CODE and prints TEXT in one line "error: ..."
# with one line "hint: ..." behind it.
fails() {
  local code=$1 text=$2
  shift 2
  own_stderr "$@"
  [ "$status" -eq "$code" ]
  [[ "$stderr" == *"$text"* ]]
  [ "$(grep -c '^error: ' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c '^hint: ' <<<"$stderr")" -eq 1 ]
  [ "$(wc -l <<<"$stderr")" -eq 2 ]
}

# rejects CODE TEXT COMMAND...: as fails, for a command that may print progress before the two
# lines.
rejects() {
  local code=$1 text=$2
  shift 2
  own_stderr "$@"
  [ "$status" -eq "$code" ]
  [[ "${stderr_lines[-2]}" == "error: "*"$text"* ]]
  [[ "${stderr_lines[-1]}" == "hint: "* ]]
}

# The fused engine's SIMD targets here, the best first.
simd_targets() { "$MNIST_DIST" doctor | sed -n 's/.*fused (SIMD: \([^)]*\)).*/\1/p'; }

# Debian's. A version manager's takes 0.1 s to find its own.
python3() { command -p python3 "$@"; }

# field FILE NAME: a value of summary.json.
field() {
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}
sha_of() { field "$1/summary.json" parameters_sha256; }

rows_in() { [ "$(wc -l <"$1/metrics.csv" 2>/dev/null || echo 0)" -gt "$2" ]; }
gone() {
  local code=0
  pgrep -f -- "$1" >/dev/null || code=$?
  ((code == 1)) # 2 and 3: pgrep itself failed
}
