#!/usr/bin/env bats
# launch/hosts.sh: placement of ranks, and messages at their end. The program, mpirun and ssh
# are fakes. For real ones see tests/cluster.

load fakes

setup() {
  export MNIST_DIST_BUILD_DIR=$BATS_TEST_TMPDIR/build
  mkdir "$MNIST_DIST_BUILD_DIR"
  export CORES=2
  fake_program <<'SCRIPT'
if [[ $* == *--print-config ]]; then printf '[data]\nshards = 4\n[comm]\ntimeout = 4.0\n'; fi
SCRIPT
  fake_mpirun <<'SCRIPT'
while (($#)); do
  printf '%s\n' "$1" >>"$BATS_TEST_TMPDIR/mpirun.arguments"
  shift
done
exit "${MPIRUN_CODE:-0}"
SCRIPT
  # Hosts answer for as long as their line is open. Commands on them run here.
  fake ssh <<<'[[ ${!#} != cat ]] || exec cat; exec bash -c "${!#}"'
  unset MNIST_DATA_DIR
  cd "$BATS_TEST_TMPDIR" || return
}

hosts_sh() { run "$repository/launch/hosts.sh" "$@"; }
# True when mpirun got these arguments, next to each other.
got() { [[ " $(xargs -d '\n' <"$BATS_TEST_TMPDIR/mpirun.arguments") " == *" $* "* ]]; }

@test "training: at most as many ranks as shards, on as few hosts as possible, with a line" {
  hosts_sh --no-preflight --slots 3 --hosts a,b,c -- train --seed 7
  [ "$status" -eq 0 ]
  [[ $output == *"4 ranks: a x 3, b x 1"*"5 of 9 slots"* ]]
  got -np 4
  got -q "$MNIST_DIST_BUILD_DIR/mnist-dist" train --seed 7
  got --host a:3,b:1
}

@test "--spread: on as many hosts as there are" {
  hosts_sh --no-preflight --slots 3 --spread --hosts a,b,c
  [[ $output == *"4 ranks: a x 2, b x 1, c x 1."* ]]
}

@test "a sweep takes all slots, or as many as -np" {
  hosts_sh --no-preflight --hosts a:2,b:5 -- sweep --seeds 0..9
  [[ ${lines[0]} == "7 ranks: a x 2, b x 5" ]]
  hosts_sh --no-preflight --hosts a:2,b:5 -np 3 sweep --seeds 0..9
  [[ ${lines[0]} == "3 ranks: a x 2, b x 1" ]]
  hosts_sh --no-preflight --hosts a:2,b:5 -np 8 sweep
  [ "$status" -eq 2 ]
  [[ $output == "error: 8 ranks "*"7 slots"* ]]
}

@test "a file of hosts, as mpirun's: comments, slots, also with Windows line ends" {
  local end
  for end in '' '\r'; do
    printf "# the cluster$end\nnode1 slots=2$end\n$end\nnode2 # one core$end\n" >cluster.txt
    hosts_sh --no-preflight --slots 1 --hosts cluster.txt
    [[ ${lines[0]} == "3 ranks: node1 x 2, node2 x 1" ]]
  done
}

# rejected TEXT: the last run ended with 2 and printed only an error of one line, which holds TEXT,
# and a hint.
rejected() {
  [ "$status" -eq 2 ]
  [ "${#lines[@]}" -eq 2 ]
  [[ ${lines[0]} == "error: "*"$1"* && ${lines[1]} == "hint: "* ]]
}

@test "invalid hosts: hosts.sh and preflight.sh name the fault in one line" {
  local bad problem
  printf '# nobody\n\n' >empty
  printf 'a\nb slots=0\n' >zero
  while IFS='|' read -r bad problem; do
    hosts_sh --no-preflight --slots 1 --hosts "$bad"
    rejected "$problem"
    run "$repository/launch/preflight.sh" --hosts "$bad"
    rejected "$problem"
  done <<'CASES'
|--hosts: missing
a,b,a|named twice: a
a,-oProxyCommand=x|not a host: -oProxyCommand=x
a b c|not a host: a b c
it's|not a host: it's
,|no host in it
empty|no host in it
zero|not a host: b slots=0
no/such/file|there is no file no/such/file
CASES
  hosts_sh --no-preflight --hosts a
  rejected "a: number of slots"
}

@test "options without a value, or with an invalid one" {
  local script option
  for script in hosts preflight; do
    run "$repository/launch/$script.sh" --hosts
    rejected "--hosts needs a value"
    for option in --slots --gpus --interface --ssh-key --ssh-config "--slots 0" "--gpus x" \
      "--ssh-key no-file" "--ssh-config ." "--interface -x"; do
      # shellcheck disable=SC2086  # two words
      run "$repository/launch/$script.sh" $option
      rejected "${option%% *}: wrong "
    done
    run "$repository/launch/$script.sh" --hosts a --interface "a b"
    rejected "'a b'"
  done
}

@test "--help prints the help, also into a closed pipe" {
  local script
  for script in hosts local preflight setup ec2; do
    run bash -c "'$repository/launch/$script.sh' --help | head -n 1"
    [[ $output == "usage: launch/$script.sh "* ]]
    [ "${#lines[@]}" -eq 1 ]
  done
  run bash "$repository/launch/slurm.sbatch" --help
  [ "$status" -eq 0 ]
  [[ $output == *"sbatch launch/slurm.sbatch --config"* ]]
}

@test "no room for temporary files" {
  local script
  for script in "hosts.sh --hosts a" "preflight.sh --hosts a" "ec2.sh status"; do
    # shellcheck disable=SC2086  # several words
    run env TMPDIR=/no/folder "$repository"/launch/$script
    [ "$status" -eq 3 ]
    [[ ${lines[0]} == "error: "*" /no/folder" &&
      ${lines[1]} == "hint: "* && ${#lines[@]} -eq 2 ]]
  done
}

@test "mpirun gets ssh's options, the network, and the environment of the ranks" {
  touch key config
  MNIST_DATA_DIR=/data NCCL_DEBUG=INFO hosts_sh --no-preflight --slots 1 --hosts a,b \
    --interface 10.0.0.0/24 --ssh-key key --ssh-config config
  got --mca plm_rsh_args \
    "-o BatchMode=yes -o ConnectTimeout=8 -F $PWD/config -i $PWD/key" --mca plm_rsh_no_tree_spawn 1
  got --mca btl_tcp_if_include 10.0.0.0/24 --mca oob_tcp_if_include 10.0.0.0/24
  got -x MNIST_DATA_DIR
  got -x NCCL_DEBUG
}

@test "Open MPI 5 has other names for some of these" {
  fake mpirun <<<'echo "mpirun (Open MPI) 5.0.7"'
  hosts_sh --no-preflight --slots 1 --print --hosts a,b --interface eth0
  [[ $output == *"'--prtemca' 'plm_ssh_args' "*"'--mca' 'btl_tcp_if_include' 'eth0' '--prtemca' \
'oob_tcp_if_include' 'eth0'"* ]]
  [[ $output != *"'-q'"* ]]
}

@test "the ranks' own exit code is returned, and mpirun's hidden message is printed" {
  local code
  for code in 0 1 2 3 5 6; do
    MPIRUN_CODE=$code hosts_sh --no-preflight --slots 1 --hosts a,b
    [ "$status" -eq "$code" ]
    [[ $output != *error:* && $output != *restart* ]]
  done
  MPIRUN_CODE=213 hosts_sh --no-preflight --slots 1 --hosts a,b --max-restarts 0
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*" 213"*"hint: "*"launch/preflight.sh"* ]]
  MPIRUN_CODE=137 hosts_sh --no-preflight --slots 1 --hosts a,b --max-restarts 0
  [ "$status" -eq 4 ]
  [[ $output == *"error: a rank was killed"*dmesg* ]]
}

# fake_lost_host: b's line ends, and a second log-in fails, while the file gone is there. The
# line of c only ends. Commands on hosts run here.
fake_lost_host() {
  fake ssh <<'SCRIPT'
host=${*: -2:1}
if [[ $host == b && -e gone ]]; then sleep 0.3 && exit 255; fi
if [[ ${!#} == cat ]]; then
  [[ $host != c ]] || { sleep 0.3 && exit 255; }
  exec cat
fi
exec bash -c "${!#}"
SCRIPT
  touch gone
}

@test "a host that is lost, without restarts: mpirun is ended, the hint has all other options" {
  fake_mpirun <<<'exec sleep 60'
  fake_lost_host
  local begin=$SECONDS
  hosts_sh --no-preflight --slots 1 --spread -np 3 --interface eth0 --hosts a,b,c:2 \
    --max-restarts 0 -- train --set "x=1 2"
  ((SECONDS - begin < 30))
  [ "$status" -eq 4 ]
  [[ $output == *"error: b "*" 4 s"* ]]
  [[ $output == *"hint: "*": launch/hosts.sh --hosts \
a\\,c:2"* ]]
  local option
  for option in "--slots 1" --spread "-np 3" "--interface eth0" \
    "-- train --set x=1\\ 2 --resume"; do
    [[ ${lines[-1]} == *" $option "* ]]
  done
}

# fake_starts: mpirun runs the function start_N of the file starts at its Nth start.
fake_starts() {
  fake_mpirun <<'SCRIPT'
echo "$*" >>starts.log
source ./starts
start_$(wc -l <starts.log)
SCRIPT
  cat >starts
  rm -f starts.log
}
start() { sed -n "$1p" starts.log; }
# checkpoint FOLDER: in the starts, a new one.
checkpoint='checkpoint() { mkdir -p "$1" && echo "$RANDOM$RANDOM" >"$1/checkpoint.h5"; }'

@test "a lost host is left out of the restart, which keeps all options, and is used when back" {
  fake_lost_host
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint r; exec sleep 60; }
start_2() { rm gone; checkpoint r; exit 137; }
start_3() { exit 0; }
STARTS
  hosts_sh --no-preflight --slots 2 --spread -np 5 --interface eth0 --hosts a,b,c \
    -- train --run-dir r
  [ "$status" -eq 0 ]
  [ "$(wc -l <starts.log)" -eq 3 ]
  [[ $(start 1) == *" -np 5 --host a:2,b:2,c:1 "*" btl_tcp_if_include eth0 "*" train --run-dir r" ]]
  [[ $(start 2) == *" -np 4 --host a:2,c:2 "*" btl_tcp_if_include eth0 "* ]]
  [[ $(start 2) == *" train --run-dir r --resume" ]]
  [[ $(start 3) == *" -np 5 --host a:2,b:2,c:1 "*" train --run-dir r --resume" ]]
  [[ $output == *"note: b "*" 4 s"*"restart 1 of 3"*"restart 2 of 3"* ]]
}

@test "after a killed rank the run's own folder is resumed, or moved away without a checkpoint" {
  fake_program <<'SCRIPT'
[[ $* == *--print-config* ]] || exit 0
printf '[model]\nname = "step3"\n[data]\nshards = 4\n[train]\nseed = 7 # one\n'
SCRIPT
  mkdir -p runs/step3-seed7-20200101-000000 runs/step3-seed70-1
  touch -d 2020-01-01 runs/step3-seed7-20200101-000000/checkpoint.h5
  touch runs/step3-seed70-1/checkpoint.h5
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint runs/step3-seed7-20261126-1; exit 137; }
start_2() { exit 0; }
STARTS
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --seed 7
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" train --seed 7 --resume --run-dir runs/step3-seed7-20261126-1" ]]

  fake_starts <<<$'start_1() { mkdir r; : >r/config.toml; exit 4; }\nstart_2() { exit 0; }'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir r
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" train --run-dir r" ]]
  compgen -G 'r.before-restart-*-1'
  [ ! -e r ]

  # --resume begins a run without a checkpoint again, in its folder.
  fake_starts <<<$'start_1() { mkdir r; : >r/config.toml; exit 137; }\nstart_2() { exit 0; }'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --resume --run-dir r/
  [ "$status" -eq 0 ]
  [ -e r/config.toml ]

  mkdir mine && : >mine/notes.txt # not written by the program
  fake_starts <<<$'start_1() { exit 137; }\nstart_2() { exit 0; }'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir mine
  [ "$status" -eq 0 ]
  [ -e mine/notes.txt ]
}

@test "130 without a signal to the script, as after the shutdown of a host: a restart" {
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint r; exit 130; }
start_2() { exit 0; }
STARTS
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir r
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" train --run-dir r --resume" ]]
  [[ $output == *"note: a rank received a signal "*"restart 1 of 3"* ]]
}

@test "a daemon of mpirun that does not start is no verdict of the program, whatever its code" {
  fake ssh <<'SCRIPT'
[[ ${!#} != cat ]] || exec cat
[[ ${*: -2} != "c orted" ]] || exit 0
[[ $* != *" b orted" ]] || exit "$(<code)"
exec bash -c "${!#}"
SCRIPT
  fake_starts <<'STARTS'
daemon() {
  $(sed -n '$s/.* plm_rsh_agent \(bash [^ ]*\) .*/\1/p' starts.log) -o BatchMode=yes \
    -o ConnectTimeout=8 "$1" orted || exit
}
start_1() { daemon b; }
start_2() { daemon c; exit 6; }
STARTS
  local code
  for code in 1 255; do
    rm -f starts.log
    echo "$code" >code
    hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir r
    cat starts.log
    [ "$status" -eq 6 ]
    [[ $output == *"note: b: mpirun could not start its daemon there"*"restart 1 of 3"* ]]
    [[ $output != *error:* ]]
    rm starts.log
    hosts_sh --no-preflight --slots 1 --hosts a,b --max-restarts 0 -- train --run-dir r
    [ "$status" -eq 4 ]
    [[ ${lines[-2]} == "error: b: mpirun "* && ${lines[-1]} == "hint: "*"launch/preflight.sh"* ]]
    [ "$(grep -c -e error: -e hint: <<<"$output")" -eq 2 ]
  done
  # The printed command is for a person.
  hosts_sh --no-preflight --slots 1 --hosts a,b --print
  [[ $output == *"'plm_rsh_agent' 'ssh' "* ]]
}

@test "an mpirun that waits for a daemon before any rank has started is ended" {
  fake_starts <<<$'start_1() { exec sleep 100; }\nstart_2() { exit 0; }'
  local begin=$SECONDS
  MNIST_DIST_START_SECONDS=0 MNIST_DIST_WATCH_SECONDS=1 hosts_sh --no-preflight --slots 1 \
    --hosts a,b -- train --run-dir r
  ((SECONDS - begin < 60))
  [ "$status" -eq 0 ]
  [[ $output == *"note: mpirun stopped responding"*"restart 1 of 3"* ]]
}

@test "two restarts in a row without progress end it, and so does the last restart" {
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint r; exit 137; }
start_2() { checkpoint r; exit 137; }
start_3() { exit 137; }
start_4() { exit 137; }
STARTS
  hosts_sh --no-preflight --slots 1 --hosts a,b --max-restarts 9 -- train --run-dir r
  cat starts.log
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 4 ]
  [[ $output == *"restart 3 of 9"*"no progress"*"error: a rank was killed"* ]]
  [[ $output != *"restart 4"* && $output != *"not a child"* ]]

  # Ranks that say twice why they cannot even begin.
  fake_starts <<<'for n in 1 2 3 4; do eval "start_$n() { exit 4; }"; done'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir none
  cat starts.log
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 2 ]
  [[ $output == *"restart 1 of 3"*"without a run folder"* && $output != *"restart 2"* ]]

  # In a sweep each row is progress.
  fake_starts \
    <<<'for n in 1 2 3 4; do eval "start_$n() { echo row >s/rows/0xxx/seed$n.csv; exit 4; }"; done'
  mkdir -p s/rows/0xxx
  hosts_sh --no-preflight --slots 1 --hosts a,b --max-restarts 3 -- sweep --seeds 0..9 --out s
  echo "$output"; cut -c1-50 starts.log
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 4 ]
  [[ $(start 4) == *" sweep --seeds 0..9 --out s" ]]
}

@test "a sweep that has ended before, with more seeds: a killed rank does not end it" {
  mkdir s
  touch s/{sweep,summary}.json
  fake_starts <<<$'start_1() { exit 137; }\nstart_2() { exit 0; }'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- sweep --seeds 10..19 --out s
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" sweep --seeds 10..19 --out s" ]]

  # A run that lost mpirun after its end is not started again.
  mkdir r
  fake_starts <<<'start_1() { touch r/{checkpoint.h5,summary.json}; exit 137; }'
  hosts_sh --no-preflight --slots 1 --hosts a,b -- train --run-dir r
  [ "$status" -eq 0 ]
  [ "$(wc -l <starts.log)" -eq 1 ]
}

@test "with preflight: a host that has become bad is named, left out, and used when good again" {
  fake orted <<<true
  fake ssh <<'SCRIPT'
host=${*: -2:1}
[[ ${!#} != cat ]] || exec cat
[[ $host != b || ! -e bad || ${!#} != "bash -s" ]] || exec bash -s < <(
  echo 'df() { printf "Filesystem\n/dev/x 9 9 1000 99%% /\n"; }' && cat)
exec bash -c "${!#}"
SCRIPT
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint r; touch bad; exit 137; }
start_2() { checkpoint r; rm bad; exit 137; }
start_3() { exit 137; }
start_4() { checkpoint r; exit 137; }
start_5() { exit 0; }
STARTS
  # The all-reduce of preflight is no start.
  sed -i '3i [[ $* != *doctor* ]] || { echo "${*: -2}" >>doctor.log; echo "ranks add"; exit; }' \
    "$BATS_TEST_TMPDIR/bin/mpirun"
  hosts_sh --slots 2 --max-restarts 4 --hosts a,b,c -- train --run-dir r
  cat starts.log doctor.log
  [ "$status" -eq 0 ]
  [ "$(wc -l <starts.log)" -eq 5 ]
  [[ $(start 1) == *" -np 4 --host a:2,b:2 "*" train --run-dir r" ]]
  [[ $(start 2) == *" -np 4 --host a:2,c:2 "*" train --run-dir r --resume" ]]
  [[ $(start 3) == *" -np 4 --host a:2,b:2 "*" train --run-dir r --resume" ]]
  [[ $output == *"bad   b            has 1 MB of disk free in $PWD"*"restart 1 of 4"* ]]
  [[ $output != *error:* ]]
  # A restart is quick, unless one before it made no progress.
  [ "$(paste -sd, doctor.log)" = "--all-reduce 2,--all-reduce 1" ]

  # Too few good hosts: the error of preflight, then that of the run.
  fake_starts <<<'start_1() { touch bad; exit 137; }'
  sed -i '3i [[ $* != *doctor* ]] || exit 0' "$BATS_TEST_TMPDIR/bin/mpirun"
  MNIST_DIST_LOOK_SECONDS=0 hosts_sh --slots 2 --min-hosts 3 --hosts a,b,c -- train --run-dir r2
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 1 ]
  [[ ${lines[-2]} == "error: a rank was killed (KILL)" && ${lines[-1]} == "hint: "* ]]
}

@test "too few good hosts for a restart" {
  fake_lost_host
  fake_starts <<<'start_1() { exec sleep 60; }'
  MNIST_DIST_LOOK_SECONDS=0 hosts_sh --no-preflight --slots 1 --hosts a,b,c --min-hosts 3 \
    -- train --run-dir r
  [ "$status" -eq 4 ]
  [ "$(wc -l <starts.log)" -eq 1 ]
  [[ $output == *"restart 1 of 3: too few good hosts"*"restart 3 of 3: "*"error: b stopped"* ]]
  local bad
  for bad in "--min-hosts 0" "--min-hosts x" "--max-restarts -1" "--max-restarts"; do
    # shellcheck disable=SC2086  # two words
    hosts_sh --hosts a $bad
    rejected "${bad%% *}: wrong value"
  done
}

# The first start loses b, the second one ends well.
b_is_lost_once() {
  fake_lost_host
  rm gone
  fake_starts <<STARTS
$checkpoint
start_1() { checkpoint r; touch gone; exit 137; }
start_2() { exit 0; }
STARTS
}
b_is_back_after_three_looks() {
  sed -i '3i if [[ $host == b && -e gone && ${!#} == true ]]; then\
    echo >>looks; (($(wc -l <looks) < 3)) || rm gone; fi' "$BATS_TEST_TMPDIR/bin/ssh"
}

@test "too few good hosts for a moment: each look uses up a restart, then the run continues" {
  b_is_lost_once
  b_is_back_after_three_looks
  MNIST_DIST_LOOK_SECONDS=0 hosts_sh --no-preflight --slots 1 --hosts a,b,c --min-hosts 3 \
    --max-restarts 4 -- train --run-dir r
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" --host a:1,b:1,c:1 "*" train --run-dir r --resume" ]]
  [[ $output == *"restart 1 of 4: too few good hosts"*"restart "[23]" of 4"* ]]
}

@test "a restart of a sweep has whole groups, and waits for the slots of one" {
  b_is_lost_once
  MNIST_DIST_LOOK_SECONDS=0 hosts_sh --no-preflight --slots 3 --hosts a,b,c \
    -- sweep --seeds 0..9 --ranks-per-run 4 --out r
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 1) == *" -np 9 "* ]]
  [[ $(start 2) == *" -np 4 --host a:3,c:1 "* ]]

  rm -rf gone looks r
  b_is_lost_once
  b_is_back_after_three_looks
  MNIST_DIST_LOOK_SECONDS=0 hosts_sh --no-preflight --slots 1 --hosts a,b,c --max-restarts 4 \
    -- sweep --seeds 0..9 --ranks-per-run 3 --out r
  cat starts.log
  [ "$status" -eq 0 ]
  [[ $(start 2) == *" -np 3 --host a:1,b:1,c:1 "* ]]
}

@test "no program yet" {
  rm "$MNIST_DIST_BUILD_DIR/mnist-dist"
  hosts_sh --no-preflight --slots 1 --hosts a,b
  [ "$status" -eq 2 ]
  [[ $output == *"error: there is no "*"hint: "*"launch/local.sh --print"* ]]
}

@test "a host counts as lost after the recipe's comm.timeout, in a sweep too" {
  # Like the program: only train has --print-config.
  fake_program <<'SCRIPT'
[[ $1 == train && $* == *--print-config ]] || exit 2
printf '[comm]\ntimeout = %s\n' "$(sed -n 's/.*comm.timeout=\([0-9.]*\).*/\1/p' <<<"$*")"
SCRIPT
  for command in train sweep tune; do
    run bash -c 'for part in lib ranks watch; do source "$0/launch/$part.sh"; done
      recipe_timeout "$@"' "$repository" $command --seeds 0..9 --set comm.timeout=29.5
    [ "$output" = 30 ]
  done
}
