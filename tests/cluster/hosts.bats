# launch/hosts.sh and preflight.sh on four hosts: network namespaces, each with its own sshd
# (four_hosts.bash). To be run by private.sh.
bats_require_minimum_version 1.5.0
load ../cli/helpers
load four_hosts

ALL=host1,host2,host3,host4
# A run of some seconds, long enough to be interrupted. With large batches, it has few sums over
# ranks, which are slow where ranks share cores with other tests.
LONG=("${QUICK[@]}" --set train.batch=256 --set train.epochs=6 --set train.checkpoint_seconds=0.2)

setup_file() {
  make_hosts "$BATS_FILE_TMPDIR"
  # Half of the usual times: all hosts are this machine.
  export MNIST_DIST_SSH_SECONDS=4 MNIST_DIST_WATCH_SECONDS=2
  export MNIST_DIST_BUILD_DIR=${MNIST_DIST%/*}
  # The result of every run below.
  cd "$BATS_FILE_TMPDIR" || return 1
  "$MNIST_DIST" "${LONG[@]}" --threads 2 --run-dir alone
  WANTED=$(sha_of alone)
  export WANTED
}

teardown_file() { stop_hosts; }

teardown() {
  # Remains of a failed test.
  local n
  for n in 1 2 3 4; do plug "host$n"; done
  for n in 10 11 12 20; do on host3 ip rule del pref $n 2>/dev/null || true; done
  ! on host3 mountpoint -q "$MNIST_DIST" || on host3 umount "$MNIST_DIST"
}

preflight() { on host1 "$SOURCE_DIR/launch/preflight.sh" --ssh-config "$SSH_CONFIG" "$@"; }
hosts_sh() { on host1 "$SOURCE_DIR/launch/hosts.sh" --ssh-config "$SSH_CONFIG" "$@"; }
# One core and no GPU each: one rank per host. The findings of preflight.sh have their own tests.
start_hosts_sh() {
  start_on host1 "$SOURCE_DIR/launch/hosts.sh" --ssh-config "$SSH_CONFIG" --no-preflight --slots 1 \
    "$@" >out.txt 2>err.txt
}
nothing_left() { wait_for 15 gone "$MNIST_DIST --config"; }

@test "preflight: four good hosts, and a two-second all-reduce over them" {
  run -0 --separate-stderr preflight --hosts "$ALL"
  [ "$output" = "$(printf 'host%s 1 1 1\n' 1 2 3 4)" ] || [ "$(nproc --all)" -eq 1 ]
  [[ $stderr == *"ok    host4        Open MPI "[45]*", mnist-dist "*\
", 1 core, "*" GB free, clock +0.0 s"* ]]
  [[ $stderr == *"ok    all-reduce   4 ranks on 4 hosts "*" 39 KB "* ]]
}

@test "preflight: a host that is down is named, soon" {
  unplug host3
  local begin=$SECONDS
  run --separate-stderr preflight --hosts "$ALL"
  [ "$status" -eq 4 ]
  ((SECONDS - begin <= 25))
  [[ $stderr == *"ok    host4"* ]]
  [[ $stderr == *"error: host3 "*\
"hint: "*"leave it out of --hosts"* ]]
}

@test "preflight: a different version of the program, or of Open MPI, on one host" {
  printf '#!/bin/sh\necho "mnist-dist 0.0.9"\n' >other
  printf '#!/bin/sh\necho "mpirun (Open MPI) 3.1.6"\n' >other_mpirun
  chmod +x other other_mpirun
  on host2 mount --bind other "$MNIST_DIST"
  on host4 mount --bind other_mpirun "$(command -v mpirun)"
  run --separate-stderr preflight --hosts "$ALL"
  on host2 umount "$MNIST_DIST"
  on host4 umount "$(command -v mpirun)"
  [ "$status" -eq 4 ]
  [[ $stderr == *"error: host2 "*"mnist-dist 0.0.9, "*\
" (and 1 more: see above)"*"hint: copy it: rsync "*" host2:"* ]]
  [[ $stderr == *"bad   host4  "*"Open MPI 3.1.6, "* ]]
}

@test "preflight: two hosts that only ssh reaches from here, but that do not reach each other" {
  on host2 ip route add unreachable 10.77.0.3/32
  MNIST_DIST_START_SECONDS=10 run --separate-stderr preflight --hosts "$ALL" --seconds 1
  on host2 ip route del unreachable 10.77.0.3/32
  [ "$status" -eq 4 ]
  [[ $stderr == *"error: "*" host2, host3,"*\
"hint: "*"--interface"* ]]
}

@test "preflight: a firewall with port 22 open, then also with the ports of docs/cluster.md" {
  on host3 ip rule add pref 10 ipproto tcp sport 22 lookup main ||
    skip "this kernel cannot route by port"
  on host3 ip rule add pref 20 to 10.77.0.0/24 blackhole
  local begin=$SECONDS
  MNIST_DIST_START_SECONDS=10 run --separate-stderr preflight --hosts host1,host2,host3 --seconds 1
  [ "$status" -eq 4 ]
  ((SECONDS - begin <= 90)) # 25 on an idle machine
  [[ $stderr == *"error: "*" host3 and the others,"*\
"hint: "*TCP* ]]

  on host3 ip rule add pref 11 ipproto tcp sport 50000-50199 lookup main
  on host3 ip rule add pref 12 ipproto tcp dport 50000-50199 lookup main
  eval "$(sed -n '/^export OMPI_MCA_/p' "$SOURCE_DIR/docs/cluster.md")"
  run --separate-stderr preflight --hosts host1,host2,host3 --seconds 1
  [ "$status" -eq 0 ]
  [[ $stderr == *"ok    all-reduce   3 ranks on 3 hosts "* ]]
}

@test "four hosts, one behind a slow link, train the bytes of a single process" {
  limit_link host4 100mbit
  run -0 --separate-stderr hosts_sh --no-preflight --slots 1 --hosts "$ALL" -- train \
    "${LONG[@]}" --run-dir r
  limit_link host4 1gbit
  [[ $stderr == *"4 ranks: host1 x 1, host2 x 1, host3 x 1, host4 x 1"* ]]
  [ "$(field r/summary.json ranks)" -eq 4 ]
  [ "$(sha_of r)" = "$WANTED" ]
}

@test "Ctrl-C: 130 and a checkpoint, from which three hosts end in the same bytes" {
  start_hosts_sh --hosts "$ALL" -- train "${LONG[@]}" --run-dir r
  wait_for 60 test -s r/checkpoint.h5
  kill -INT -- "-$STARTED"
  local code=0
  wait "$STARTED" || code=$?
  cat err.txt
  [ "$code" -eq 130 ]
  [ ! -e r/summary.json ]
  nothing_left
  run -0 --separate-stderr hosts_sh --no-preflight --slots 1 --hosts host2,host3,host4 -- train \
    --resume --run-dir r
  [ "$(field r/summary.json ranks)" -eq 3 ]
  [ "$(sha_of r)" = "$WANTED" ]
}

@test "a host that stops responding mid-run is named in time, and its hint ends in the same bytes" {
  start_hosts_sh --max-restarts 0 --hosts "$ALL" \
    -- train "${LONG[@]}" --run-dir r --set comm.timeout=4
  wait_for 60 test -s r/checkpoint.h5
  unplug host3
  local begin=$SECONDS code=0
  wait "$STARTED" || code=$?
  cat err.txt
  [ "$code" -eq 4 ]
  ((SECONDS - begin <= 45)) # 20 on an idle machine
  grep -q "^error: rank 2 of 4 (host host3, " err.txt
  grep -q "^error: host3 " err.txt
  local command
  command=$(sed -n 's/^hint: [^:]*: \(launch.*\)/\1/p' err.txt)
  [[ $command == "launch/hosts.sh --hosts host1\\,host2\\,host4 "*" --resume "* ]]
  plug host3
  nothing_left
  on host1 bash -c "${command/#launch/$SOURCE_DIR/launch} --set comm.timeout=30" 2>again.txt
  [ "$(field r/summary.json ranks)" -eq 3 ]
  [ "$(sha_of r)" = "$WANTED" ]
}

# Some more seconds than LONG, and a host counts as lost soon.
LONGER=("${LONG[@]}" --set train.epochs=9 --set comm.timeout=4)

# a_run_of HOSTS...: starts one with two restarts or more, and waits for its first checkpoint.
a_run_of() {
  start_hosts_sh --max-restarts 5 --hosts "$1" -- train "${LONGER[@]}" --run-dir r
  wait_for 60 test -s r/checkpoint.h5
}

# rank_on HOST: the process of its rank. Processes of all hosts are seen here.
rank_on() {
  local pid network
  network=$(readlink "/proc/$(<"$HOSTS_FOLDER/$1.pid")/ns/net")
  for pid in $(pgrep -x mnist-dist); do
    [ "$(readlink "/proc/$pid/ns/net")" != "$network" ] || echo "$pid"
  done
}

# resumed N: true after so many restarts.
resumed() { [ "$(cat out.txt err.txt | grep -c '^resumed')" -ge "$1" ]; }

# ends_alike: the run ends by itself, in the bytes of a process that nothing happened to.
ends_alike() {
  local code=0
  wait "$STARTED" || code=$?
  cat err.txt
  [ "$code" -eq 0 ]
  nothing_left
  if [ ! -e "$BATS_FILE_TMPDIR/longer/summary.json" ]; then
    "$MNIST_DIST" "${LONGER[@]}" --threads 2 --run-dir "$BATS_FILE_TMPDIR/longer"
  fi
  [ "$(sha_of r)" = "$(sha_of "$BATS_FILE_TMPDIR/longer")" ]
}

@test "a killed rank, then a second one: the run starts again by itself, twice, to the same bytes" {
  a_run_of "$ALL"
  kill -KILL "$(rank_on host3)"
  wait_for 30 resumed 1
  kill -KILL "$(rank_on host1)"
  ends_alike
  [ "$(grep -c "^note: .*restart [12] of 5" err.txt)" -eq 2 ]
  [ "$(field r/summary.json ranks)" -eq 4 ]
}

@test "a host that is gone is left out, and at the next restart it is back" {
  a_run_of "$ALL"
  unplug host3
  wait_for 90 resumed 1
  grep -q "^note: host3 " err.txt
  grep -q "^note: restart 1 of 5" err.txt
  plug host3
  grep -q "^3 ranks: host1 x 1, host2 x 1, host4 x 1" err.txt
  kill -KILL "$(rank_on host2)"
  ends_alike
  [ "$(field r/summary.json ranks)" -eq 4 ]
}

@test "the first host of the list is gone: the others resume, since they share the run folder" {
  a_run_of host4,host2,host3
  unplug host4
  ends_alike
  [ "$(field r/summary.json ranks)" -eq 2 ]
}

@test "a rank that is stopped, and a host whose daemon is stopped with it" {
  a_run_of "$ALL"
  kill -STOP "$(rank_on host2)"
  wait_for 60 resumed 1
  local rank
  rank=$(rank_on host3)
  kill -STOP "$(ps -o ppid= -p "$rank")" "$rank"
  ends_alike
}

@test "mpirun is killed: its ranks are ended, and the run starts again" {
  a_run_of "$ALL"
  kill -KILL "$(pgrep -x mpirun)"
  ends_alike
  grep -q "restart 1 of 5" err.txt
}

@test "mpirun's daemon ends with 1 on a host, then hangs: two restarts, to the same bytes" {
  local orted
  orted=$(readlink -f "$(command -v orted)")
  cp "$orted" orted
  printf '#!/bin/bash\necho >>%q/starts\ncase $(wc -l <%q/starts) in 1) exit 1 ;; 2) exit 0 ;; esac
exec %q "$@"\n' "$PWD" "$PWD" "$PWD/orted" >daemon
  chmod +x daemon
  on host3 mount --bind daemon "$orted"
  MNIST_DIST_START_SECONDS=10 run --separate-stderr hosts_sh --no-preflight --slots 1 \
    --hosts "$ALL" -- train "${LONG[@]}" --set comm.timeout=10 --run-dir r
  on host3 umount "$orted"
  [ "$status" -eq 0 ]
  [[ $stderr == *"note: host3: mpirun could not start its daemon there"*"restart 1 of 3"*\
"note: mpirun stopped responding"*"restart 2 of 3"* ]]
  [[ $stderr != *error:* ]]
  nothing_left
  [ "$(sha_of r)" = "$WANTED" ]
}

# late_seed_on HOST: sets RUN to the run folder of the seed that is trained there. True after some
# epochs, and with rows of other seeds.
late_seed_on() {
  [ -n "$(find s/rows -name '*.csv' 2>/dev/null)" ] &&
    RUN=$(grep -lx "process $(rank_on "$1")" s/runs/seed*/.lease) && RUN=${RUN%/.lease} &&
    rows_in "$RUN" 5
}

# The columns of seeds.csv without seconds, group, ranks and threads.
results() { sort "$1/seeds.csv" | cut -d, -f1-9,14-; }

@test "a sweep loses a rank whose host has become bad: the others resume its seed" {
  local sweep=(sweep "${TINY[@]}" --set train.epochs=80 --seeds 0..7 --target 0)
  local code=0 rank epochs file
  "$MNIST_DIST" "${sweep[@]}" --out whole
  start_on host1 "$SOURCE_DIR/launch/hosts.sh" --ssh-config "$SSH_CONFIG" --hosts "$ALL" -- \
    "${sweep[@]}" --out s >out.txt 2>err.txt
  wait_for 60 late_seed_on host3
  rank=$(rank_on host3)
  kill -STOP "$rank"
  printf '#!/bin/sh\necho "mnist-dist 0.0.9"\n' >other
  chmod +x other
  on host3 mount --bind other "$MNIST_DIST"
  cp -rp s before || true  # temporary files of the other ranks come and go
  kill -KILL "$rank"
  wait "$STARTED" || code=$?
  cat err.txt
  [ "$code" -eq 0 ]
  grep -q "^bad   host3        has mnist-dist 0.0.9" err.txt
  grep -q "^3 ranks: host1 x 1, host2 x 1, host4 x 1" err.txt
  [ "$(grep -c "^note: restart 1 of 3" err.txt)" -eq 1 ]
  wait_for 15 gone "$MNIST_DIST sweep"
  # Rows stay, and the epochs of the seed with their times.
  (cd before && find rows -name '*.csv') >rows.txt
  while read -r file; do
    cmp "before/$file" "s/$file"
    [ "$(stat -c %.9Y "before/$file")" = "$(stat -c %.9Y "s/$file")" ]
  done <rows.txt
  epochs=$(($(wc -l <"before/${RUN#s/}/metrics.csv") - 1))
  cmp <(head -n "$epochs" "before/${RUN#s/}/metrics.csv") <(head -n "$epochs" "$RUN/metrics.csv")
  [ "$(wc -l <s/seeds.csv)" -eq 9 ]
  diff <(results whole) <(results s)
}
