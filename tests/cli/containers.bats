# Restrictions and settings of containers and sites.
bats_require_minimum_version 1.5.0
load helpers

@test "process_vm_readv forbidden: ranks train the same result, without a line for every message" {
  "$DENY_COPY" true || skip "no seccomp here"
  mpirun_command 2
  local recipe=("${QUICK[@]}" --set train.max_steps=20)
  run -0 --separate-stderr "$DENY_COPY" "${MPIRUN[@]}" "$MNIST_DIST" "${recipe[@]}" --run-dir denied
  [[ "$stderr" != *"Read -1"* && "$stderr" != *"errno"* ]]
  run -0 "${MPIRUN[@]}" "$MNIST_DIST" "${recipe[@]}" --run-dir allowed
  [ "$(sha_of denied)" = "$(sha_of allowed)" ]
}

@test "a library that turns subnormal numbers off is found when a run starts" {
  run -0 "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=1 --run-dir right
  fails 4 subnormal env LD_PRELOAD="$FLUSH_TO_ZERO" "$MNIST_DIST" \
    "${QUICK[@]}" --threads 2 --run-dir wrong
  [ ! -e wrong/summary.json ]
  fails 4 subnormal env LD_PRELOAD="$FLUSH_TO_ZERO" \
    "$MNIST_DIST" evaluate right/checkpoint.h5 --data "$TEST_DATA"
}

@test "ranks of a different MPI's launcher are rejected" {
  fails 4 "MPI sees 1" env PMI_RANK=0 PMI_SIZE=2 "$MNIST_DIST" "${QUICK[@]}" --run-dir r
  # Rank 0 has printed it.
  run -0 env PMI_RANK=1 PMI_SIZE=2 "$MNIST_DIST" "${QUICK[@]}" --run-dir r
  [ -z "$output" ]
  fails 4 "MPI_LOCALNRANKS" env MPI_LOCALNRANKS=2 MPI_LOCALRANKID=0 "$MNIST_DIST" \
    "${QUICK[@]}" --run-dir r
  [ ! -e r ]
}
