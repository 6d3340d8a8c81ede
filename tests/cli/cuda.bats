# The build for GPUs, from outside, on a machine that has none: it starts, trains on the CPU, and
# says what is missing. Tests on a GPU have the label gpu.
bats_require_minimum_version 1.5.0
load helpers

no_gpu() { ! compgen -G '/proc/driver/nvidia/gpus/*' >/dev/null || skip "there is a GPU"; }

@test "doctor finds no GPU, which is no failure" {
  no_gpu
  run -0 "$MNIST_DIST" doctor
  [[ $output == *"ok    gpus      none"* ]]
  run -0 "$MNIST_DIST" doctor --full --data "$TEST_DATA"
  [[ $output == *"ok    gpus      none"* ]]
}

@test "the library for GPUs shows its two entries, and no other part of the program" {
  run -0 bash -c "nm -D --defined-only '$(dirname "$MNIST_DIST")/libmnist-dist-torch.so' |
    grep -o 'mnist_dist_.*' | sort"
  [ "$output" = $'mnist_dist_device_comm_library\nmnist_dist_torch_library' ]
}

@test "train --device cuda: exit 4, the problem and a remedy in one line each, no run folder" {
  no_gpu
  fails 4 "" "$MNIST_DIST" "${QUICK[@]}" --device cuda --run-dir r
  [[ $stderr == *"error: "*[Gg]"PU"* || $stderr == *"error: "*CUDA* ]]
  [[ $stderr == *"hint: "*--device* || $stderr == *"hint: "*doctor* ]]
  [ ! -e r ]
}

@test "the same on two ranks: exit 4, and no rank waits" {
  no_gpu
  mpirun_command 2
  run -4 --separate-stderr timeout 60 "${MPIRUN[@]}" "$MNIST_DIST" \
    "${QUICK[@]}" --device cuda --run-dir r
  [ "$(grep -c '^error: ' <<<"$stderr")" -ge 1 ]
  [ "$(grep -c '^error: ' <<<"$stderr")" -eq "$(grep -c '^hint: ' <<<"$stderr")" ]
}

@test "without --device it trains on the CPU" {
  no_gpu
  run -0 "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=1 --run-dir r
  [ "$(field r/summary.json device)" = cpu ]
}
