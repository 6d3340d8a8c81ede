#!/usr/bin/env bats
# launch/ec2.sh up with set-up, run, sweep, logs, fetch, ssh, and down with a job running: nodes are
# folders, and the programs that they build and run are fakes.

load ../fakes
load aws

setup_file() { start_aws; }
teardown_file() { stop_aws; }

setup() {
  command -v rsync >/dev/null || skip "no rsync"
  fresh_aws
  export MNIST_DIST_COPY_SECONDS=1 MNIST_DIST_NOTICE_SECONDS=0.5 \
    MNIST_DIST_IMDS=http://127.0.0.1:9 MNIST_DIST_DEADLINE=$BATS_TEST_TMPDIR/deadline
  fake_checkout
}

teardown() {
  echo 0 | tee "$NODES"/*/finish >/dev/null 2>&1 || true
}

# A checkout whose set-up, build and ranks are fakes. The fake launch/hosts.sh "trains" until it
# gets a signal or the file finish is there.
fake_checkout() {
  checkout=$BATS_TEST_TMPDIR/checkout
  mkdir -p "$checkout/build" "$checkout/runs" "$checkout/data" "$checkout/.git"
  cp -r "$repository/launch" "$checkout/"
  rm -f "$checkout/launch/preflight.sh"
  touch "$checkout/CMakeLists.txt" "$checkout/build/mine" "$checkout/runs/mine" \
    "$checkout/.git/mine"
  cat >"$checkout/launch/setup.sh" <<'SCRIPT'
#!/bin/bash
if [[ "$*" == *--cuda* ]]; then
  [[ ! -e ../no-cuda ]] || { echo "error: there is no nvcc here" >&2; exit 4; }
  echo cuda >>../cuda.log
else
  echo "set up" >>../setup.log
fi
SCRIPT
  cat >"$BATS_TEST_TMPDIR/bin/cmake" <<'SCRIPT'
#!/bin/bash
[[ "$*" == *--build* ]] || exit 0
while [[ $1 != --build ]]; do shift; done
cat >"$2/mnist-dist" <<'PROGRAM'
#!/bin/bash
echo data >data/mnist.h5
PROGRAM
chmod +x "$2/mnist-dist"
SCRIPT
  # The parts of a build for GPUs on a node.
  fake_gpu_machine
  fake_torch "$MNIST_DIST_TORCH_DIR/torch" 2.11.0 13.0
  cat >"$checkout/launch/hosts.sh" <<'SCRIPT'
#!/bin/bash
echo "hosts.sh $*"
sed 's/^/host /' "$2"
echo "MNIST_DIST_CUDA=${MNIST_DIST_CUDA:-off}"
env | grep -E '^(NCCL|FI)_' | sort
run=runs/step3-seed1
mkdir -p "$run"
if [[ "$*" == *--resume* ]]; then
  [[ -e $run/checkpoint.h5 ]] || { echo "error: nothing to resume"; exit 2; }
  echo "resumed from $(<"$run/checkpoint.h5")"
fi
trap 'sleep 0.5
echo "after signal" >"$run/checkpoint.h5"
echo "checkpoint written"
exit 130' INT TERM
echo "epoch 1" >"$run/metrics.csv"
echo "step 1" >"$run/checkpoint.h5"
for i in {1..300}; do
  if [[ -e ../finish ]]; then
    echo "{}" >"$run/summary.json"
    exit "$(<../finish)"
  fi
  sleep 0.1
done
SCRIPT
  chmod +x "$checkout"/launch/*.sh "$BATS_TEST_TMPDIR/bin/cmake"
}

cluster() { run "$checkout/launch/ec2.sh" "$@"; }
# cluster_up ARGUMENTS...: with --bare where only run sets up the nodes.
cluster_up() {
  cluster up --instance c7a.4xlarge --from 203.0.113.7/32 --yes "$@"
  [ "$status" -eq 0 ] || { echo "$output" && return 1; }
}

# start_cluster ARGUMENTS...: ec2.sh in the background, as under a terminal.
start_cluster() {
  setsid env --default-signal=INT "$checkout/launch/ec2.sh" "$@" >follow.log 2>&1 3>&- &
  script=$!
}

wait_for_script() {
  status=0
  wait "$script" || status=$?
  output=$(<follow.log)
}

@test "up brings code, packages and data to every node, from one build, with the head's own key" {
  cluster_up --nodes 2
  shows "cluster main is ready"
  local node
  for node in 1 2; do
    [ -x "$NODES/$node/mnist-dist/build/mnist-dist" ]
    [ -e "$NODES/$node/mnist-dist/data/mnist.h5" ]
    [ -e "$NODES/$node/setup.log" ]
    [ ! -e "$NODES/$node/mnist-dist/build/mine" ]
    [ ! -e "$NODES/$node/mnist-dist/runs/mine" ]
    [ ! -e "$NODES/$node/mnist-dist/.git" ]
    grep -qF "$(<"$NODES/1/.ssh/id_ed25519.pub")" "$NODES/$node/.ssh/authorized_keys"
  done
  [ ! -e "$NODES/2/.ssh/id_ed25519" ]
  # The laptop's key stays there.
  ! grep -rqF "$(<"$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/main/key")" "$NODES" || false
}

# without_rsync: the nodes find rsync only after "apt-get install", which they get from sudo.
without_rsync() {
  mkdir bare
  ln -s "$(command -v bash)" bare/
  sed -i "/^mkdir -p /i [[ \$* != 'command -v rsync'* || -e \$NODES/\$n/rsync ]] || bare=$PWD/bare
    s|exec bash|PATH=\${bare:-\$PATH} &|" bin/ssh
  cat >bare/sudo <<SCRIPT
#!/bin/bash
echo "\$*" >>"\$HOME/sudo.log"
[[ ! -e \$HOME/no-apt ]] || { echo "E: Unable to locate package rsync" >&2; exit 100; }
[[ \$* != *"install rsync" ]] || : >"\$HOME/rsync"
SCRIPT
  chmod +x bare/sudo
}

@test "a node without rsync, as Debian's images: it is installed before the code is copied" {
  without_rsync
  cluster_up --nodes 2 --image debian-13
  local node
  for node in 1 2; do
    [ "$(tail -n 1 "$NODES/$node/sudo.log")" = \
      "apt-get -q -y -o DPkg::Lock::Timeout=300 install rsync" ]
    [ -x "$NODES/$node/mnist-dist/build/mnist-dist" ]
  done
  # Only once.
  cluster run --detach
  [ "$(grep -c install "$NODES/1/sudo.log")" -eq 1 ]
}

@test "a node without rsync and without a way to install it: the message names both" {
  without_rsync
  mkdir -p "$NODES/2" && touch "$NODES/2/no-apt"
  cluster up --instance c7a.4xlarge --nodes 2 --from 203.0.113.7/32 --yes
  fails 4 "--keep"
  shows "E: Unable to locate package rsync" ": rsync could not be installed"
}

@test "run: the job on all nodes, its log and results here, its code" {
  cluster_up --nodes 2 --bare
  start_cluster run --config step3 --seed 7
  # Results come while it runs.
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  cluster status --name main
  shows "job: running since"
  cluster run
  fails 2 "already"
  echo 0 >"$NODES/1/finish"
  wait_for_script
  [ "$status" -eq 0 ] || { echo "$output" && return 1; }
  shows "2 of 2 nodes, one rank per core" \
    "-- train --config step3 --seed 7 --set train.checkpoint_seconds=20" "host 172.31.0.4" \
    "host 172.31.0.5" "results are in runs"
  [ -e runs/step3-seed1/summary.json ]
  cluster logs
  shows "hosts.sh --hosts"
}

@test "run returns the program's code, and sweep starts a sweep" {
  cluster_up --bare
  mkdir -p "$NODES/1" && echo 6 >"$NODES/1/finish"
  cluster sweep --seeds 0..9
  [ "$status" -eq 6 ]
  shows "as many" "-- sweep --seeds 0..9"
}

@test "a sweep on several nodes is rejected before anything is copied or started" {
  cluster_up --nodes 2 --bare
  cluster sweep --seeds 0..9
  [ "$status" -eq 2 ]
  [[ ${lines[-2]} == "error: "*"(got 2 nodes, expected 1)" ]]
  [[ ${lines[-1]} == "hint: "*"--nodes 1"*"--seeds"*"--out"*"mnist-dist merge" ]]
  [ ! -e "$NODES/1/mnist-dist" ]
  cluster sweep --dry-run --seeds 0..9
  [ "$status" -eq 2 ]
}

@test "Ctrl-C during run: a checkpoint, copied here, exit 130" {
  cluster_up --bare
  start_cluster run
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  kill -INT -- "-$script"
  wait_for_script
  [ "$status" -eq 130 ]
  shows "requesting a stop" "checkpoint written"
  [ "$(<runs/step3-seed1/checkpoint.h5)" = "after signal" ]
  # The same cluster takes the next job.
  echo 0 >"$NODES/1/finish"
  cluster run --resume
  [ "$status" -eq 0 ]
  shows "resumed from after signal"
}

@test "a spot notice or the TTL: a checkpoint, and run --resume continues on a different cluster" {
  cluster_up --nodes 2 --bare
  start_cluster run
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  echo "$(date +%s)" >"$MNIST_DIST_DEADLINE"
  wait_for_script
  [ "$status" -eq 130 ]
  shows "checkpoint: the time to live" "--name OTHER --resume"
  [ "$(<runs/step3-seed1/checkpoint.h5)" = "after signal" ]
  rm "$MNIST_DIST_DEADLINE"
  cluster down --yes
  rm -rf "$NODES"
  mkdir "$NODES"
  cluster_up --name other --nodes 1 --bare
  mkdir -p "$NODES/1" && echo 0 >"$NODES/1/finish"
  cluster run --name other --resume
  [ "$status" -eq 0 ]
  shows "resumed from after signal"
}

@test "--detach, logs and fetch: the job continues without the user's machine" {
  cluster_up --bare
  cluster run --detach --seed 3
  [ "$status" -eq 0 ]
  shows "launch/ec2.sh logs --name main"
  start_cluster logs
  wait_for 30 test -e runs/step3-seed1/metrics.csv
  kill -KILL -- "-$script"
  wait "$script" || true
  cluster status --name main
  shows "job: running since"
  rm -r runs
  cluster fetch --results elsewhere
  [ "$status" -eq 0 ]
  [ -e elsewhere/step3-seed1/metrics.csv ]
}

@test "down while it trains: first a checkpoint, then the results, then everything is deleted" {
  cluster_up --bare
  cluster run --detach
  wait_for 30 test -e "$NODES/1/mnist-dist/runs/step3-seed1/checkpoint.h5"
  run "$checkout/launch/ec2.sh" down </dev/null
  fails 2 "cluster main" "--yes"
  cluster down --yes
  [ "$status" -eq 0 ]
  shows "nothing of cluster main"
  [ "$(<runs/step3-seed1/checkpoint.h5)" = "after signal" ]
  empty_account
}

@test "a cluster that is lost while it trains: the copied results are here, exit 4" {
  cluster_up --bare
  start_cluster run
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  aws ec2 terminate-instances --instance-ids "$(ids)" >/dev/null
  touch "$NODES/1/down"
  wait_for_script
  fails 4 "the head " "are in runs" "--resume"
  shows "terminated"
  [ -s runs/step3-seed1/checkpoint.h5 ]
  cluster run
  fails 4 "no node "
}

@test "--down-when-done: if the head is gone, the other nodes are deleted, too" {
  cluster_up --nodes 2 --bare
  start_cluster run --down-when-done
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  aws ec2 terminate-instances --instance-ids "$(aws ec2 describe-instances --output text \
    --filters Name=tag:mnist-dist:node,Values=1 --query 'Reservations[].Instances[].InstanceId')" \
    >/dev/null
  touch "$NODES/1/down"
  wait_for_script
  fails 4 "the head " "are in runs"
  shows "warning: newer results could not be copied" "nothing of cluster main"
  empty_account
}

@test "--down-when-done: a head that runs without ssh may still train, so the cluster stays" {
  cluster_up --nodes 2 --bare
  start_cluster run --down-when-done
  wait_for 30 test -e runs/step3-seed1/checkpoint.h5
  touch "$NODES/1/down"
  wait_for_script
  fails 4 "the head " "are in runs"
  shows "warning: the cluster is not deleted, because the job may still be running"
  [ "$(ids | wc -w)" -eq 2 ]
}

@test "down while no node responds: no wait, no copy, and everything is deleted" {
  cluster_up --nodes 2 --bare
  cluster run --detach
  touch "$NODES/1/down" "$NODES/2/down"
  cluster down
  [ "$status" -eq 0 ]
  shows "no node responds" "nothing of cluster main"
  empty_account
}

@test "results of all nodes are copied, and --down-when-done then deletes the cluster" {
  cluster_up --nodes 2 --bare
  mkdir -p "$NODES"/{1,2/mnist-dist/runs/sweep/runs/seed1} && echo 0 >"$NODES/1/finish"
  echo weights >"$NODES/2/mnist-dist/runs/sweep/runs/seed1/model.h5"
  cluster run --down-when-done
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  [ "$(<runs/sweep/runs/seed1/model.h5)" = weights ]
  [ -e runs/step3-seed1/summary.json ]
  shows "nothing of cluster main"
  empty_account
}

@test "MPI keeps off libfabric, the plugin is found in both folders, and p6 starts over IPv4" {
  local type
  for type in p6-b200 p6-b300; do
    cluster up --name "$type" --instance "$type.48xlarge" --from 203.0.113.7/32 --bare --yes \
      --region us-west-2
    [ "$status" -eq 0 ] || { echo "$output" && false; }
    cluster run --name "$type" --region us-west-2 --dry-run
    shows "8 GPUs, one rank per GPU" "MNIST_DIST_GPUS=8" "FI_PROVIDER=efa" \
      "FI_EFA_USE_DEVICE_RDMA=1" "NCCL_SOCKET_IFNAME=^lo,docker0" "OMPI_MCA_pml=^cm" \
      "OMPI_MCA_mtl=^ofi" "OMPI_MCA_btl=^ofi" "NCCL_SOCKET_FAMILY=AF_INET" \
      "/opt/amazon/ofi-nccl/lib:/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu:"
  done
  # Others keep NCCL's own choice.
  cluster up --instance p5.48xlarge --from 203.0.113.7/32 --bare --yes
  cluster run --dry-run
  shows "FI_PROVIDER=efa"
  [[ $output != *NCCL_SOCKET_FAMILY* ]]
  # As words of a shell, without programs that are missing on macOS.
  run bash -c 'source "$1/launch/ec2/run.sh"; printf "%s\n" "A=b c" "D=^e" | quoted_lines' \
    - "$repository"
  [ "$output" = 'A=b\ c D=\^e ' ]
}

@test "GPUs: one rank per GPU, and NCCL's network by instance type" {
  cluster up --instance p4d.24xlarge --nodes 2 --from 203.0.113.7/32 --bare --yes
  [[ $output != *warning* ]]
  cluster run --dry-run
  [ "$status" -eq 0 ]
  shows "2 of 2 nodes, 16 GPUs" "rank per GPU" "172.31.0.4 slots=8, 172.31.0.5 slots=8" \
    "-- train --device cuda" "MNIST_DIST_CUDA=on" "MNIST_DIST_GPUS=8" \
    "FI_PROVIDER=efa" "FI_EFA_USE_DEVICE_RDMA=1" "NCCL_SOCKET_IFNAME="
  ec2 down --yes --no-fetch
  cluster up --instance g4dn.12xlarge --from 203.0.113.7/32 --bare --yes
  mkdir -p "$NODES/1" && echo 0 >"$NODES/1/finish"
  cluster run
  [ "$status" -eq 0 ]
  shows "4 GPUs, one rank per GPU" "slots=4" "--gpus 4 -- train --device cuda" "FI_PROVIDER=efa" \
    "MNIST_DIST_CUDA=on"
  [[ $output != *RDMA* ]]
  grep -q cuda "$NODES/1/cuda.log"
  [ -x "$NODES/1/mnist-dist/build-cuda/mnist-dist" ]
  [ ! -e "$NODES/1/mnist-dist/build/mnist-dist" ]
  cluster run --device cpu
  shows "-- train --device cpu --set train.checkpoint_seconds=20"
}

@test "GPUs: every node is set up for them, and if one fails, all use their cores" {
  mkdir -p "$NODES/1" "$NODES/2" && echo 0 >"$NODES/1/finish"
  touch "$NODES/2/no-cuda"
  cluster up --instance g4dn.12xlarge --nodes 2 --from 203.0.113.7/32 --yes
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "warning: " ": there is no nvcc here"
  cluster run
  [ "$status" -eq 0 ]
  shows "2 of 2 nodes, one rank per core" "slots=24" "MNIST_DIST_CUDA=off"
  [[ $output != *"--gpus 4 -- train"* && $output != *"-- train --device"* ]]
  [ -x "$NODES/1/mnist-dist/build/mnist-dist" ]
  [ -x "$NODES/2/mnist-dist/build/mnist-dist" ]
}

@test "GPUs without a LibTorch: a warning before the price, then one rank per core" {
  sed -i '/^g4dn.12xlarge/s/12.6- /12.6  /' "$checkout/launch/instances.tsv"
  cluster cost --instance g4dn.12xlarge
  [ "$status" -eq 0 ]
  shows "warning: a T4 " "LibTorch 2.11 " "CUDA 12.6, " "2.11.0 for CUDA 13.0"
  cluster up --instance g4dn.12xlarge --from 203.0.113.7/32 --bare --yes
  shows "warning: a T4 needs LibTorch" "--instance c7a.4xlarge trains on CPUs"
  cluster run --dry-run
  shows "1 of 1 node, one rank per core" "172.31.0.4 slots=24"
  [[ $output != *MNIST_DIST_CUDA* ]]
}

@test "ssh: the head, or a node by number" {
  cluster_up --nodes 2 --bare
  cluster ssh echo hello
  [ "$output" = hello ]
  cluster ssh 2 pwd
  [ "$output" = "$NODES/2" ]
  cluster ssh 3
  fails 2 "node 3"
}

@test "the walkthroughs of docs/ec2.md, line by line: each works, and prints the text beside it" {
  local lines line words text
  mkdir -p "$NODES"/{1,2} && echo 0 | tee "$NODES"/{1,2}/finish >/dev/null
  mapfile -t lines \
    < <(sed -n '/^## A CPU cluster/,/^## While it runs/s|^launch/ec2.sh ||p' \
      "$repository/docs/ec2.md")
  [ "${#lines[@]}" -eq 15 ]
  for line in "${lines[@]}"; do
    words=${line%%#*}
    [[ $words != up* ]] || words+=" --yes --from 203.0.113.7/32"
    # shellcheck disable=SC2086  # as a shell reads it
    cluster $words
    [ "$status" -eq 0 ] || { echo "$line: $output" && return 1; }
    while read -r text; do
      shows "$text"
    done < <(grep -oE '(at most )?\$[0-9.]*[0-9]( per hour| for [0-9:]+ h)?|nothing of .*' \
      <<<"$line")
  done
  empty_account
}

@test "no cluster: run, logs, fetch, ssh print a hint" {
  local verb
  for verb in run logs ssh; do
    cluster "$verb"
    fails 2 "cluster main" "launch/ec2.sh up"
  done
  cluster run --detach --down-when-done
  fails 2 "--down-when-done"
  cluster fetch
  fails 2 "no node " "--s3"
}

@test "fetch --s3: from the bucket, without the cluster" {
  aws s3 mb s3://bucket >/dev/null
  echo saved >file
  aws s3 cp file s3://bucket/folder/step3-seed1/checkpoint.h5 >/dev/null
  cluster fetch --s3 s3://bucket/folder
  [ "$status" -eq 0 ]
  [ "$(<runs/step3-seed1/checkpoint.h5)" = saved ]
}

@test "results outside runs/ would be lost: rejected" {
  cluster_up --bare
  cluster run --resume --run-dir /tmp/elsewhere
  fails 2 "runs/ only" "/tmp/elsewhere"
}
