# mnist-dist doctor as a program. tests/report/doctor_test.cpp tests its findings.
bats_require_minimum_version 1.5.0
load helpers

@test "one line per subject, on one screen, and a missing data file is no failure" {
  run -0 "$MNIST_DIST" doctor
  [[ ${lines[0]} == "ok    program   mnist-dist "* ]]
  [[ $output == *"warn  data "*" data/mnist.h5 "*"mnist-dist prepare"* ]]
  (("${#lines[@]}" <= 24))
}

@test "--json has the same contents, complete" {
  "$MNIST_DIST" doctor --json >findings.json
  [ "$(python3 -c 'import json
findings = json.load(open("findings.json"))["findings"]
print(*(f["subject"] for f in findings if f["subject"] != "ttl"))')" = \
    "program cpu memory mpi launcher engines torch blas hdf5 gpus nccl fabric data raw disk" ]
  [ "$(field findings.json ok)" = True ]
  [[ "$(field findings.json findings)" == *"'subject': 'mpi', 'health': 'ok'"* ]]
}

@test "synthetic data is never called MNIST" {
  run -0 "$MNIST_DIST" doctor --data "$TEST_DATA"
  [[ $output == *"warn  data "*"SYNTHETIC digits, not MNIST, "* ]]
}

@test "a damaged data file: exit 3, and all other lines are there" {
  head -c 100000 "$TEST_DATA" >damaged.h5
  run -3 "$MNIST_DIST" doctor --data damaged.h5
  [[ $output == *"fail  data "*"damaged.h5"* ]]
  [[ $output == *"  disk "* ]]
}

@test "--full finds a damaged chunk, and opens LibTorch" {
  run -0 "$MNIST_DIST" doctor --full --data "$TEST_DATA"
  [[ $output == *"every chunk intact"* ]]
  if has_torch; then
    [[ $output == *"ok    torch     LibTorch "[12].* ]]
  else
    [[ $output == *"ok    torch     none"* ]]
  fi
}

@test "on several ranks it prints once" {
  ranks 2 doctor >out
  [ "$(grep -c '^ok    program ' out)" -eq 1 ]
  grep -q 'launcher  Open MPI, 2 ranks' out
}

@test "--all-reduce without a number of seconds is rejected" {
  fails 2 "0 to 60" timeout 10 "$MNIST_DIST" doctor --all-reduce nan
  fails 2 "0 to 60" "$MNIST_DIST" doctor --all-reduce 61
  run -0 "$MNIST_DIST" doctor --all-reduce 0.01
  [[ $output == "1 rank on 1 host add"* ]]
}

@test "--cores prints the number of cores that this process may use" {
  run -0 taskset -c "$(taskset -cp $$ | grep -o '[0-9]*' | tail -n 1)" "$MNIST_DIST" doctor --cores
  [ "$output" = 1 ]
  run -0 "$MNIST_DIST" doctor --cores
  ((output >= 1 && output <= $(nproc)))
}

@test "no colours outside a terminal, nor with NO_COLOR in one" {
  unset NO_COLOR
  run -0 "$MNIST_DIST" doctor
  [[ $output != *$'\x1b'* ]]
  script -qec true /dev/null >/dev/null || skip "no script(1), or no /dev/pts, to make a terminal"
  run -0 script -qec "'$MNIST_DIST' doctor" /dev/null
  [[ $output == *$'\x1b[32mok'* ]]
  NO_COLOR=1 run -0 script -qec "'$MNIST_DIST' doctor" /dev/null
  [[ $output != *$'\x1b'* ]]
}

@test "starts at once" {
  local start=${EPOCHREALTIME/./}
  "$MNIST_DIST" doctor
  (((${EPOCHREALTIME/./} - start) < 1000000)) # 0.05 s on an idle machine
}
