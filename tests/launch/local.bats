#!/usr/bin/env bats
# launch/local.sh: ranks, mpirun's arguments, and Ctrl-C. The program, cmake and mostly mpirun are
# fakes.

load fakes
load ../wait_for

setup() {
  export MNIST_DIST_SETUP=skip
  export MNIST_DIST_BUILD_DIR=$BATS_TEST_TMPDIR/build
  mkdir "$MNIST_DIST_BUILD_DIR"
  touch "$MNIST_DIST_BUILD_DIR/build.ninja"
  fake cmake <<<'echo "cmake $*" >>"$BATS_TEST_TMPDIR/cmake.log"'
  fake_mpirun <<'SCRIPT'
echo "mpirun $*"
echo "root: ${OMPI_ALLOW_RUN_AS_ROOT:-no}${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-no} in $PWD"
SCRIPT
  fake_recipe 4
  fake_cores 8
  unset OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
}

# fake_recipe SHARDS: mnist-dist with a recipe of so many shards.
fake_recipe() {
  fake_program <<SCRIPT
if [[ \$* == *--print-config ]]; then printf '[data]\nshards = $1\n[other]\nshards = 99\n'; exit; fi
echo "mnist-dist \$* alone in \$PWD"
SCRIPT
}

# fake_cores N: a machine of N cores, all ours.
fake_cores() {
  export CORES=$1
  fake nproc <<<"echo $1"
}

local_sh() { run "$repository/launch/local.sh" "$@"; }

@test "default: one rank per core" {
  fake_cores 2
  local_sh
  [ "$status" -eq 0 ]
  [[ ${lines[0]} == "mpirun -np 2 --mca btl_tcp_if_include lo -q --map-by core --bind-to core \
$MNIST_DIST_BUILD_DIR/mnist-dist" ]]
}

@test "default: at most the recipe's shards" {
  fake_recipe 3
  local_sh --config small --seed 7
  [[ ${lines[0]} == "mpirun -np 3 "*"/mnist-dist --config small --seed 7" ]]
}

@test "-np, and everything after it goes to the program" {
  local_sh -np 2 train --epochs 1 -np 5
  [[ ${lines[0]} == "mpirun -np 2 "*"/mnist-dist train --epochs 1 -np 5" ]]
}

@test "one core: the program alone, without mpirun" {
  fake_cores 1
  local_sh --seed 3
  [[ $output == "mnist-dist --seed 3 alone in $PWD" ]]
}

@test "commands other than training are one process, and a sweep or a search takes all cores" {
  local_sh summary --config step1
  [[ $output == "mnist-dist summary --config step1 alone"* ]]
  local_sh sweep --seeds 0..9
  [[ ${lines[0]} == "mpirun -np 8 "*"/mnist-dist sweep --seeds 0..9" ]]
  local_sh tune --space space.toml
  [[ ${lines[0]} == "mpirun -np 8 "*"/mnist-dist tune --space space.toml" ]]
  local_sh train --help
  [[ $output == "mnist-dist train --help alone"* ]]
}

@test "more ranks than cores are allowed, with a note" {
  fake_cores 2
  local_sh -np 3
  [ "$status" -eq 0 ]
  [[ $output == *"note: 3 ranks share 2 cores"* ]]
  [[ $output == *"mpirun -np 3 "*"--oversubscribe --bind-to none"* ]]
  local_sh -np 2
  [[ $output != *note:* ]]
}

@test "a recipe that is rejected ends it with the program's own message and code" {
  fake_program <<<'echo "error: no recipe nope" >&2; exit 2'
  local_sh --config nope
  [ "$status" -eq 2 ]
  [ "$output" = "error: no recipe nope" ]
}

@test "a program that cannot count the cores ends it with its own message and code" {
  printf '#!/bin/bash\necho "error: no $*" >&2; exit 3\n' >"$MNIST_DIST_BUILD_DIR/mnist-dist"
  local_sh -np 2
  [ "$status" -eq 3 ]
  [ "$output" = "error: no doctor --cores" ]
}

@test "the program's exit code is the script's" {
  fake_mpirun <<<'exit 5'
  local_sh
  [ "$status" -eq 5 ]
}

@test "paths are relative to the current folder" {
  mkdir "$BATS_TEST_TMPDIR/elsewhere"
  cd "$BATS_TEST_TMPDIR/elsewhere"
  local_sh
  [[ $output == *" in $BATS_TEST_TMPDIR/elsewhere" ]]
}

@test "Open MPI's permission for root is given to root alone" {
  local_sh
  if ((EUID == 0)); then [[ $output == *"root: 11 "* ]]; else [[ $output == *"root: nono "* ]]; fi
  if ((EUID == 0)) && command -v setpriv; then
    cp -r "$repository/launch" "$BATS_TEST_TMPDIR/"
    chmod -R a+rwX "$BATS_TEST_TMPDIR"
    chmod a+rX "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"
    run setpriv --reuid=65534 --clear-groups "$BATS_TEST_TMPDIR/launch/local.sh"
    [[ $output == *"root: nono "* ]]
  fi
}

@test "--print only prints a command that a shell reads back" {
  local_sh --print -np 2 --run-dir "a b"
  [ "$status" -eq 0 ]
  [[ $output == *"'mpirun' '-np' '2' "*"'--run-dir' 'a b'" ]]
}

@test "builds the program before it runs it, and configures only a new folder" {
  local_sh
  grep -q -- "--build $MNIST_DIST_BUILD_DIR .*--target mnist-dist" "$BATS_TEST_TMPDIR/cmake.log"
  [ "$(grep -c -- "-S " "$BATS_TEST_TMPDIR/cmake.log")" -eq 0 ]
  rm "$MNIST_DIST_BUILD_DIR/build.ninja"
  local_sh
  grep -q -- "-S $repository -B $MNIST_DIST_BUILD_DIR -G Ninja" "$BATS_TEST_TMPDIR/cmake.log"
}

@test "installed, it starts the installed program and builds nothing" {
  local prefix=$BATS_TEST_TMPDIR/prefix
  mkdir -p "$prefix/bin" "$prefix/share/mnist-dist/launch"
  cp "$MNIST_DIST_BUILD_DIR/mnist-dist" "$prefix/bin/"
  cp "$repository"/launch/{lib,local,ranks}.sh "$prefix/share/mnist-dist/launch/"
  run env -u MNIST_DIST_SETUP -u MNIST_DIST_BUILD_DIR \
    "$prefix/share/mnist-dist/launch/local.sh" -np 2
  [ "$status" -eq 0 ]
  [[ ${lines[0]} == "mpirun -np 2 "*" $prefix/bin/mnist-dist" ]]
  run env -u MNIST_DIST_SETUP -u MNIST_DIST_BUILD_DIR CUDA_VISIBLE_DEVICES=0,1 \
    "$prefix/share/mnist-dist/launch/local.sh" --cuda
  [[ ${lines[0]} == "mpirun -np 2 "*" $prefix/bin/mnist-dist --device cuda" ]]
  [ ! -e "$BATS_TEST_TMPDIR/cmake.log" ]
}

# cache NAME=VALUE...: the build folder's CMakeCache.txt, of this source but for what is given.
cache() {
  printf '%s\n' "CMAKE_HOME_DIRECTORY:INTERNAL=$repository" \
    "CMAKE_CACHEFILE_DIR:INTERNAL=$MNIST_DIST_BUILD_DIR" "$@" \
    >"$MNIST_DIST_BUILD_DIR/CMakeCache.txt"
}

@test "a build folder of a different source is configured again, with one line" {
  cache
  local_sh --print
  [ "$status" -eq 0 ]
  ! grep -q -- "-S " "$BATS_TEST_TMPDIR/cmake.log" || false
  # A tree that was copied, and one that was moved.
  for home in "$BATS_TEST_TMPDIR" /nowhere; do
    : >"$BATS_TEST_TMPDIR/cmake.log"
    cache
    sed -i "s|=$repository\$|=$home|" "$MNIST_DIST_BUILD_DIR/CMakeCache.txt"
    local_sh --print
    [ "$status" -eq 0 ]
    [ "$(grep -c '^note: ' <<<"$output")" -eq 1 ]
    grep -qF -- "-S $repository -B $MNIST_DIST_BUILD_DIR --fresh" "$BATS_TEST_TMPDIR/cmake.log"
  done
}

@test "a build folder without LibTorch is configured again once there is one" {
  cache "Torch_DIR:PATH=Torch_DIR-NOTFOUND"
  export MNIST_DIST_SYSTEM_PREFIX=$BATS_TEST_TMPDIR/usr
  unset Torch_DIR CMAKE_PREFIX_PATH
  local_sh --print
  ! grep -q -- "-S " "$BATS_TEST_TMPDIR/cmake.log" || false
  mkdir -p "$BATS_TEST_TMPDIR/usr/lib/some-linux-gnu/cmake/Torch"
  touch "$BATS_TEST_TMPDIR/usr/lib/some-linux-gnu/cmake/Torch/TorchConfig.cmake"
  local_sh --print
  [ "$status" -eq 0 ]
  grep -qF -- "-S $repository -B $MNIST_DIST_BUILD_DIR" "$BATS_TEST_TMPDIR/cmake.log"
}

# fake_checkout: a copy of launch/ whose set-up only notes how it was called.
fake_checkout() {
  checkout=$BATS_TEST_TMPDIR/checkout
  mkdir "$checkout"
  cp -r "$repository/launch" "$checkout/"
  touch "$checkout/CMakeLists.txt"
  printf '#!/bin/bash\necho "setup $*" >>"$BATS_TEST_TMPDIR/setup.log"\n' \
    >"$checkout/launch/setup.sh"
  mkdir "$checkout/build-cuda"
  cp "$MNIST_DIST_BUILD_DIR/mnist-dist" "$checkout/build-cuda/"
  unset MNIST_DIST_SETUP MNIST_DIST_BUILD_DIR
  fake_gpu_machine
}

@test "--cuda: sets up and builds for GPUs in a folder of its own, and trains one rank per GPU" {
  fake_checkout
  fake_cards "Tesla T4, 7.5" "Tesla T4, 7.5" "Tesla T4, 7.5"
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  run "$checkout/launch/local.sh" --cuda --seed 7
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  [ "$(<"$BATS_TEST_TMPDIR/setup.log")" = "setup --cuda" ]
  grep -qF -- \
    "-S $checkout -B $checkout/build-cuda -G Ninja -DMNIST_DIST_CUDA=ON \
-DCMAKE_PREFIX_PATH=$MNIST_DIST_TORCH_DIR/torch;$MNIST_DIST_CUDA_FOLDER \
-DCMAKE_CUDA_COMPILER=$MNIST_DIST_CUDA_FOLDER/bin/nvcc" "$BATS_TEST_TMPDIR/cmake.log"
  [[ $output == *"mpirun -np 3 "*" $checkout/build-cuda/mnist-dist --device cuda --seed 7"* ]]
  run "$checkout/launch/local.sh" --cuda --print -np 2 sweep --seeds 0..9
  [[ $output == *"'mpirun' '-np' '2' "*"/build-cuda/mnist-dist' 'sweep' '--device' 'cuda' \
'--seeds' '0..9'" ]]
}

@test "--cuda: one rank with one GPU, or with none, which the program then reports" {
  fake_checkout
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  run "$checkout/launch/local.sh" --cuda train
  [[ $output == *"mnist-dist train --device cuda alone"* ]]
  fake_cards "NVIDIA H100 80GB HBM3, 9.0"
  run "$checkout/launch/local.sh" --cuda
  [[ $output == *"mnist-dist --device cuda alone"* ]]
  fake_cards "Tesla T4, 7.5" "Tesla T4, 7.5" "Tesla T4, 7.5"
  CUDA_VISIBLE_DEVICES=2 run "$checkout/launch/local.sh" --cuda
  [[ $output == *"mnist-dist --device cuda alone"* ]]
}

@test "--cuda: commands without a device, and a given device, are not changed" {
  fake_checkout
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  local words
  for words in doctor "summary --config step1" "train --device cpu" "train --help" \
    "--device=cpu"; do
    # shellcheck disable=SC2086  # several words
    run "$checkout/launch/local.sh" --cuda $words
    [[ $output == *"mnist-dist $words alone"* ]] || { echo "$words: $output" && return 1; }
  done
}

@test "--cuda: a set-up that fails ends it, with its own message and code" {
  fake_checkout
  printf '#!/bin/bash\necho "error: no nvcc"; exit 4\n' >"$checkout/launch/setup.sh"
  run "$checkout/launch/local.sh" --cuda
  [ "$status" -eq 4 ]
  [ "$output" = "error: no nvcc" ]
  [ ! -e "$BATS_TEST_TMPDIR/cmake.log" ]
}

@test "--cuda without set-up: missing parts are named, exit 4" {
  fake_checkout
  MNIST_DIST_SETUP=skip run "$checkout/launch/local.sh" --cuda
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*LibTorch*"hint: "*"launch/setup.sh --cuda"* ]]
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  rm "$MNIST_DIST_CUDA_FOLDER/bin/nvcc"
  MNIST_DIST_SETUP=skip run "$checkout/launch/local.sh" --cuda
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*nvcc* ]]
}

@test "a failed build ends it" {
  fake cmake <<<'echo "x.cpp:1: error: trouble"; exit 1'
  local_sh
  [ "$status" -eq 1 ]
  [[ $output == *"x.cpp:1: error: trouble"*"error: the build failed"* ]]
}

@test "bad -np" {
  local bad
  for bad in 0 -1 two ""; do
    local_sh -np "$bad"
    [ "$status" -eq 2 ]
    [[ $output == *"-np: wrong value"* ]]
  done
}

# A program that, as rank and as the fake mpirun, notes its signals and ends as mnist-dist
# does.
# shellcheck disable=SC2016  # the program's own variables
noting_program='
save() {
  echo USR1 >>"$BATS_TEST_TMPDIR/signals"
  sleep 0.5
  echo saved >>"$BATS_TEST_TMPDIR/signals"
}
trap "save; exit 130" USR1
trap "echo INT >>$BATS_TEST_TMPDIR/signals" INT
trap "echo TERM >>$BATS_TEST_TMPDIR/signals; exit 1" TERM
echo ready >>"$BATS_TEST_TMPDIR/ready"
for i in {1..200}; do sleep 0.05; done'

# wait_until_ready N: until so many programs are.
wait_until_ready() { wait_for 10 are_ready "$1"; }
are_ready() {
  [[ -f $BATS_TEST_TMPDIR/ready ]] && (($(wc -l <"$BATS_TEST_TMPDIR/ready") >= $1))
}

# start ARGUMENTS...: local.sh in the background, in a process group of its own and listening to
# INT, as under a terminal.
start() {
  setsid env --default-signal=INT,HUP "$repository/launch/local.sh" "$@" 3>&- &
  script=$!
}

# Not `run wait`: that would wait in a subshell, whose child it is not.
wait_for_script() {
  status=0
  wait "$script" || status=$?
}

@test "Ctrl-C becomes USR1 for mpirun alone, and the script waits and returns 130" {
  fake_mpirun <<<"$noting_program"
  start
  wait_until_ready 1
  kill -INT -- "-$script" # a terminal sends it to the whole process group
  wait_for_script
  [ "$status" -eq 130 ]
  [ "$(xargs <"$BATS_TEST_TMPDIR/signals")" = "USR1 saved" ]
}

@test "TERM and HUP do the same" {
  local signal
  fake_mpirun <<<"$noting_program"
  for signal in TERM HUP; do
    rm -f "$BATS_TEST_TMPDIR/ready" "$BATS_TEST_TMPDIR/signals"
    start
    wait_until_ready 1
    kill "-$signal" "$script"
    wait_for_script
    [ "$status" -eq 130 ]
    [ "$(xargs <"$BATS_TEST_TMPDIR/signals")" = "USR1 saved" ]
  done
}

@test "a closed terminal, which sends HUP twice, is one request, and nohup's stays ignored" {
  fake_mpirun <<<"$noting_program"
  start
  wait_until_ready 1
  kill -HUP "$script"
  sleep 0.2
  kill -HUP "$script"
  wait_for_script
  [ "$status" -eq 130 ]
  [ "$(xargs <"$BATS_TEST_TMPDIR/signals")" = "USR1 saved" ]

  rm "$BATS_TEST_TMPDIR/ready" "$BATS_TEST_TMPDIR/signals"
  fake_mpirun <<<"${noting_program/200/20}"
  setsid nohup "$repository/launch/local.sh" >/dev/null 2>&1 3>&- &
  script=$!
  wait_until_ready 1
  kill -HUP "$script"
  wait_for_script
  [ "$status" -eq 0 ]
  [ ! -e "$BATS_TEST_TMPDIR/signals" ]
}

@test "a second Ctrl-C ends the ranks, a third mpirun" {
  fake_mpirun <<'SCRIPT'
trap 'echo USR1 >>"$BATS_TEST_TMPDIR/signals"' USR1
trap 'echo TERM >>"$BATS_TEST_TMPDIR/signals"' TERM
echo ready >"$BATS_TEST_TMPDIR/ready"
for i in {1..200}; do sleep 0.05; done
echo survived >>"$BATS_TEST_TMPDIR/signals"
SCRIPT
  start
  wait_until_ready 1
  kill -INT "$script"
  sleep 0.3
  kill -INT "$script"
  sleep 0.3
  kill -INT "$script"
  wait_for_script
  [ "$status" -eq 130 ]
  [ "$(xargs <"$BATS_TEST_TMPDIR/signals")" = "USR1 TERM" ]
}

@test "through the real mpirun: every rank saves, and 130 comes back" {
  rm "$BATS_TEST_TMPDIR/bin/mpirun"
  hash -r
  fake_cores 1
  command -v mpirun >/dev/null || skip "no mpirun"
  fake_program <<<"$noting_program"
  start -np 2
  wait_until_ready 2
  kill -INT -- "-$script"
  wait_for_script
  [ "$status" -eq 130 ]
  [ "$(sort "$BATS_TEST_TMPDIR/signals" | xargs)" = "saved saved USR1 USR1" ] ||
    [ "$(sort "$BATS_TEST_TMPDIR/signals" | xargs)" = "USR1 USR1 saved saved" ]
}

@test "no loopback interface: the program alone, and a note" {
  : >"$BATS_TEST_TMPDIR/routes"
  MNIST_DIST_ROUTES=$BATS_TEST_TMPDIR/routes local_sh --seed 3
  [ "$status" -eq 0 ]
  [[ $output == *loopback*"mnist-dist --seed 3 alone"* ]]
}

@test "a rank that is killed, for memory: started again with --resume, three times at most" {
  fake_mpirun <<'SCRIPT'
echo "mpirun $*"
mkdir -p r
echo "$RANDOM$RANDOM" >r/checkpoint.h5
echo start >>starts.log
(($(wc -l <starts.log) > $(<lucky))) || exit 137
SCRIPT
  cd "$BATS_TEST_TMPDIR"
  echo 2 >lucky
  local_sh -np 2 --run-dir r
  [ "$status" -eq 0 ]
  [ "$(wc -l <starts.log)" -eq 3 ]
  [ "$(grep -c "mnist-dist --run-dir r --resume\$" <<<"$output")" -eq 2 ]
  echo 99 >lucky
  rm starts.log
  local_sh -np 2 --run-dir r
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 4 ]
  [[ ${lines[-2]} == "error: "*"(KILL)" && ${lines[-1]} == "hint: "*"-np"* ]]
  rm starts.log
  local_sh -np 2 --max-restarts 0 sweep
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 1 ]
}

@test "ranks that got a signal which the script did not get, from a daemon that frees memory" {
  fake_mpirun <<'SCRIPT'
echo "$*" >>starts.log
mkdir -p r
echo "$RANDOM$RANDOM" >r/checkpoint.h5
(($(wc -l <starts.log) > 1)) || exit 130
SCRIPT
  cd "$BATS_TEST_TMPDIR"
  local_sh -np 2 --run-dir r
  [ "$status" -eq 0 ]
  [[ $(tail -n 1 starts.log) == *" --run-dir r --resume" ]]
  [[ $output == *"note: a rank received a signal "*"restart 1 of 3"* ]]
}

# A program, alone or under the fake mpirun, that dies of SIGNAL until its start LUCKY.
mortal_program() {
  fake_program <<SCRIPT
if [[ \$* == *--print-config ]]; then printf '[data]\nshards = 1\n'; exit; fi
mkdir -p r
echo "\$RANDOM\$RANDOM" >r/checkpoint.h5
echo "\$*" >>starts.log
((\$(wc -l <starts.log) > $2)) || kill -$1 \$\$
SCRIPT
}

@test "one rank that is killed restarts like several" {
  cd "$BATS_TEST_TMPDIR"
  mortal_program KILL 2
  local_sh -np 1 train --run-dir r
  [ "$status" -eq 0 ]
  [ "$(paste -sd, starts.log)" = \
    "train --run-dir r,train --run-dir r --resume,train --run-dir r --resume" ]
  [[ $output == *"restart 1 of 3"*"restart 2 of 3"* ]]
  # Without -np: a recipe of one shard takes one rank.
  rm starts.log
  local_sh --run-dir r
  [ "$status" -eq 0 ]
  [ "$(wc -l <starts.log)" -eq 3 ]
}

@test "one rank that is always killed ends with exit code 4, an error and a hint" {
  local signal
  cd "$BATS_TEST_TMPDIR"
  for signal in KILL SEGV; do
    rm -f starts.log
    mortal_program "$signal" 99
    local_sh -np 1 --run-dir r
    [ "$status" -eq 4 ]
    [ "$(wc -l <starts.log)" -eq 4 ]
    [[ ${lines[-2]} == "error: "*"($signal)" && ${lines[-1]} == "hint: "* ]]
    [[ $output != *mpirun* ]]
  done
}

@test "one rank with --max-restarts 0 starts once, and other commands replace the script" {
  cd "$BATS_TEST_TMPDIR"
  mortal_program KILL 99
  local_sh -np 1 --max-restarts 0 sweep
  [ "$status" -eq 4 ]
  local_sh -np 1 train --help
  [ "$status" -eq 137 ]
  local_sh doctor
  [ "$status" -eq 137 ]
  [ "$(wc -l <starts.log)" -eq 3 ]
}

@test "one rank: Ctrl-C ends in a checkpoint and 130, without a restart" {
  fake_program <<<"$noting_program"
  start -np 1
  wait_until_ready 1
  kill -INT -- "-$script"
  wait_for_script
  [ "$status" -eq 130 ]
  [ "$(xargs <"$BATS_TEST_TMPDIR/signals")" = "USR1 saved" ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/ready")" -eq 1 ]
}

@test "several ranks that crash end with exit code 4, an error and a hint" {
  fake_mpirun <<<'exit 139'
  local_sh -np 2 --run-dir "$BATS_TEST_TMPDIR/r"
  [ "$status" -eq 4 ]
  [[ ${lines[-2]} == "error: "*"(SEGV)" && ${lines[-1]} == "hint: "* ]]
}

@test "no arguments, and a command that does not train" {
  fake_mpirun <<'SCRIPT'
echo start >>"$BATS_TEST_TMPDIR/starts.log"
exit 4
SCRIPT
  local_sh
  [ "$status" -eq 4 ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/starts.log")" -eq 2 ]
  [[ $output == *"without a run folder"* ]]
  local_sh -np 2 doctor
  [ "$status" -eq 4 ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/starts.log")" -eq 3 ]
}
