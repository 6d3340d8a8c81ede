#!/usr/bin/env bats
# The programs of the nodes: the watcher for spot notices and the TTL, against a small metadata
# service, and the head's one job.

repository=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
source "$repository/tests/wait_for.bash"

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  mkdir -p imds bin mnist-dist/launch/ec2/node
  python3 "$BATS_TEST_DIRNAME/imds.py" "$PWD/imds" 3>&- &
  echo $! >imds/pid
  wait_for 10 test -s imds/port
  MNIST_DIST_IMDS=http://127.0.0.1:$(<imds/port)
  export MNIST_DIST_IMDS MNIST_DIST_DEADLINE=$PWD/deadline MNIST_DIST_NOTICE_SECONDS=0.1
  export PATH=$PWD/bin:$PATH

  # The head's code, with a launch/hosts.sh that notes its signals and ends as the real one does.
  cp "$repository"/launch/ec2/node/*.sh mnist-dist/launch/ec2/node/
  job=$PWD/mnist-dist/launch/ec2/node/job.sh
  cat >mnist-dist/launch/hosts.sh <<'SCRIPT'
#!/bin/bash
echo "hosts.sh $*"
echo "provider ${FI_PROVIDER:-none}"
cat "$2"
trap 'echo "signal" >>../signals; sleep 0.3; echo "checkpoint written"; exit 130' INT TERM
touch ../started
for i in {1..300}; do
  [[ ! -e ../finish ]] || exit "$(<../finish)"
  sleep 0.1
done
SCRIPT
  chmod +x mnist-dist/launch/hosts.sh
  # Every host is this folder.
  {
    printf '#!/bin/bash\nhost=$1; shift\necho "$host" >>%q/watched\n' "$PWD"
    printf '[[ ! -e %q/no-$host ]] || exit 255\ncd %q && exec bash -c "$*"\n' "$PWD" "$PWD"
  } >bin/ssh
  chmod +x bin/ssh
}

teardown() {
  kill "$(<imds/pid)"
  echo 0 >finish
}

watch() { "$repository/launch/ec2/node/notice.sh" < <(exec sleep "$1" 2>/dev/null 3>&-); }

announce() { echo '{"action": "terminate", "time": "2026-11-24T10:02:00Z"}' >imds/notice; }

@test "no notice: the watcher waits, and ends with its stdin" {
  local start=$SECONDS
  run watch 2
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  ((SECONDS - start >= 2 && SECONDS - start < 10))
  # One token for all questions.
  [ "$(grep -c PUT imds/requests)" -eq 1 ]
  (($(grep -c 'GET /latest/meta-data/spot/instance-action 404' imds/requests) >= 3))
}

@test "a spot notice is printed within a moment, with its time" {
  (sleep 1 && announce) &
  run watch 20
  [ "$status" -eq 0 ]
  [ "$output" = "spot interruption at 2026-11-24T10:02:00Z on $(hostname)" ]
}

@test "an expired token is replaced" {
  (sleep 0.7 && touch imds/expire && sleep 0.7 && announce) &
  run watch 20
  [ "$status" -eq 0 ]
  [[ $output == "spot interruption"* ]]
  grep -q 401 imds/requests
}

@test "the TTL is announced three minutes before its end, also without a metadata service" {
  echo $(($(date +%s) + 600)) >deadline
  run watch 1
  [ "$status" -eq 1 ]
  echo $(($(date +%s) + 170)) >deadline
  MNIST_DIST_IMDS=http://127.0.0.1:9 run watch 10
  [ "$status" -eq 0 ]
  [[ $output == "the time to live of $(hostname) ends at "*" UTC" ]]
}

start_job() {
  printf '10.0.0.1 slots=4\n10.0.0.2 slots=4\n' | "$job" hosts
  "$job" start -- "$@" 3>&-
  wait_for 10 test -e started
}

# ended: waits for the job's end. Its state is the output.
ended() { wait_for 30 has_ended; }
has_ended() { run "$job" state && [[ $output != running* ]]; }

@test "a job: started once, followed, ended with hosts.sh's code" {
  run "$job" state
  [ "$output" = none ]
  FI_PROVIDER=efa start_job train --set "train.epochs=2" --run-dir "runs/a b"
  run "$job" state
  [[ $output == "running since "* ]]
  run "$job" start -- train
  [ "$status" -eq 2 ]
  [[ $output == "error: "*already*"hint: "* ]]
  echo 5 >finish
  ended
  [ "$output" = "exited 5 " ]
  run "$job" follow
  [[ $output == *"hosts.sh --hosts $PWD/mnist-dist-job/hosts -- train --set train.epochs=2 \
--run-dir runs/a b"* ]] || { echo "$output" && return 1; }
  [[ $output == *"provider efa"*"10.0.0.1 slots=4"*"10.0.0.2 slots=4"* ]]
  # Every host is watched, and the watchers are gone.
  [ "$(sort watched | xargs)" = "10.0.0.1 10.0.0.2" ]
  wait_for 5 not_watched
}
not_watched() { ! pgrep -f "$PWD/mnist-dist/launch/ec2/node/notice.sh" >/dev/null; }

@test "a zombie of a job has ended" {
  python3 - >zombie 3>&- <<'PYTHON' &
import os, time
child = os.fork()
if child == 0: os._exit(0)
print(child, flush=True)
time.sleep(20)
PYTHON
  for _ in {1..100}; do
    [[ ! -s zombie || $(ps -o stat= -p "$(<zombie)") != Z* ]] || break
    sleep 0.1
  done
  mkdir -p mnist-dist-job
  mv zombie mnist-dist-job/pid
  run "$job" state
  kill $!
  [ "$output" = killed ]
}

# notice_on N: a spot notice on the host 10.0.0.N alone.
notice_on() {
  cat >bin/ssh <<SCRIPT
#!/bin/bash
[[ \$1 == 10.0.0.$1 ]] || MNIST_DIST_IMDS=http://127.0.0.1:9
shift
cd "$PWD" && exec bash -c "\$*"
SCRIPT
}

@test "a spot notice on one of several nodes: it leaves, and the job resumes on the others" {
  notice_on 2
  # Its second start ends.
  sed -i '2a [[ $* != *--resume* ]] || { echo again; cat "$2"; exit 6; }' mnist-dist/launch/hosts.sh
  sed -i "s/^trap '/&mkdir -p runs\/a; touch runs\/a\/checkpoint.h5; /" mnist-dist/launch/hosts.sh
  start_job train --seed 7
  announce
  ended
  [ "$output" = "exited 6 " ] || { cat mnist-dist-job/log && false; }
  run "$job" follow
  [[ $output == *"spot interruption at "*"checkpoint written"*"hosts.sh --hosts $PWD/mnist-dist-job\
/hosts -- train --seed 7 --resume --run-dir runs/a"*again*"10.0.0.1 slots=4" ]] ||
    { echo "$output" && false; }
  [ "$(wc -l <signals)" -eq 1 ]
  [ "$(cat mnist-dist-job/hosts)" = "10.0.0.1 slots=4" ]
}

@test "a node that leaves the job and ends at once: the others resume from the last checkpoint" {
  notice_on 2
  sed -i '2a [[ $* != *--resume* ]] || exit 0' mnist-dist/launch/hosts.sh
  sed -i "s/exit 130' INT/exit 4' INT/; /^touch /i mkdir -p runs/a; touch runs/a/checkpoint.h5" \
    mnist-dist/launch/hosts.sh
  start_job train --run-dir runs/a
  announce
  ended
  [ "$output" = "exited 0 " ]
  run "$job" follow
  [[ $output == *"-- train --run-dir runs/a"* ]]
}

@test "a spot notice on the first node, which has the results, stops the job" {
  notice_on 1
  start_job train
  announce
  ended
  [[ $output == "exited 130 spot interruption"* ]]
  [ "$(wc -l <signals)" -eq 1 ]
}

@test "a node is watched again after its ssh has failed" {
  notice_on 2
  sed -i '2i [[ ! -e broken ]] || exit 255' mnist-dist/launch/ec2/node/notice.sh
  # The second start, on the other node, ends. There is no run folder yet.
  sed -i '2i [[ ! -e ../signals ]] || exit 6' mnist-dist/launch/hosts.sh
  touch broken
  start_job train --seed 7
  sleep 0.5
  rm broken
  announce
  ended
  [ "$output" = "exited 6 " ] || { cat mnist-dist-job/log && false; }
  [ "$(cat mnist-dist-job/hosts)" = "10.0.0.1 slots=4" ]
  grep -q "spot interruption at .*continues on the other nodes" mnist-dist-job/log
}

@test "a stop while a node leaves is a stop" {
  notice_on 2
  start_job train
  announce
  for _ in {1..100}; do
    [[ ! -e signals ]] || break
    sleep 0.05
  done
  "$job" stop
  ended
  [ "$output" = "exited 130 " ]
  [ "$(grep -c '^hosts.sh' mnist-dist-job/log)" -eq 1 ]
}

@test "a spot notice on all nodes stops the job with a checkpoint" {
  start_job train
  announce
  ended
  [[ $output == "exited 130 spot interruption at 2026-11-24T10:02:00Z on "* ]]
  run "$job" follow
  [[ $output == *"stopping with a checkpoint"*"checkpoint written"* ]]
  # Both nodes got the notice. The ranks get one signal: a second one would mean at once, without a
  # checkpoint.
  [ "$(wc -l <signals)" -eq 1 ]
}

@test "the TTL stops it too" {
  start_job sweep --seeds 0..9
  echo $(($(date +%s) + 100)) >deadline
  ended
  [[ $output == "exited 130 "*"time to live"* ]]
}

@test "stop: once, for any number of requests" {
  start_job train
  "$job" stop
  "$job" stop
  "$job" stop
  ended
  [ "$output" = "exited 130 " ]
  [ "$(wc -l <signals)" -eq 1 ]
}

@test "a node that cannot be watched does not end the job" {
  touch no-10.0.0.2
  start_job train
  sleep 0.5
  run "$job" state
  [[ $output == running* ]]
  echo 0 >finish
  ended
  [ "$output" = "exited 0 " ]
}

# open_mpi FOLDER VERSION: programs of an Open MPI that write their own path to the file used.
open_mpi() {
  mkdir -p "$1"
  cat >"$1/mpirun" <<SCRIPT
#!/bin/bash
[[ \$* != *--version* ]] || { echo "mpirun (Open MPI) $2"; exit; }
echo "\$0" >>"$PWD/used"
SCRIPT
  chmod +x "$1/mpirun"
  cp "$1/mpirun" "$1/mpicc"
}

# fake_build: the scripts of a head with a cmake that runs the first mpicc in PATH, and a
# program that only prints a recipe.
fake_build() {
  cp -r "$repository/launch" mnist-dist/
  mkdir mnist-dist/data && touch mnist-dist/CMakeLists.txt mnist-dist/data/mnist.h5
  printf '#!/bin/bash\n' >mnist-dist/launch/setup.sh
  printf '#!/bin/bash\necho "localhost 1 1 0"\n' >mnist-dist/launch/preflight.sh
  cat >bin/cmake <<'SCRIPT'
#!/bin/bash
[[ $* == *--build* ]] || { mpicc -show && exit; }
while [[ $1 != --build ]]; do shift; done
printf '#!/bin/bash\nprintf "[data]\nshards = 4\n[comm]\ntimeout = 120\n"\n' >"$2/mnist-dist"
chmod +x "$2/mnist-dist"
SCRIPT
  chmod +x bin/cmake
}

@test "one Open MPI for the build and the ranks, although Amazon's two are first in PATH" {
  fake_build
  # Amazon's folder is below this one.
  sed -i "s|/opt/amazon|$PWD/opt/amazon|" mnist-dist/launch/ec2/node/{install,job}.sh
  open_mpi bin 4.1.6
  open_mpi opt/amazon/openmpi/bin 4.1.7
  open_mpi opt/amazon/openmpi5/bin 5.0.8
  PATH=$PWD/opt/amazon/openmpi/bin:$PWD/opt/amazon/openmpi5/bin/:$PATH
  mpirun -np 1 true && mpicc -show
  [ "$(sort -u used)" = "$PWD/opt/amazon/openmpi/bin/mpicc
$PWD/opt/amazon/openmpi/bin/mpirun" ]
  rm used
  mnist-dist/launch/ec2/node/install.sh ""
  [ "$(<used)" = "$PWD/bin/mpicc" ]
  echo localhost | "$job" hosts
  "$job" start -- train 3>&-
  ended
  [ "$output" = "exited 0 " ] || { cat mnist-dist-job/log && false; }
  [ "$(tail -n +2 used)" = "$PWD/bin/mpirun" ]
}

@test "--s3: results go there while the job runs, and at its end" {
  printf '#!/bin/bash\necho "aws $*" >>%q/s3\n' "$PWD" >bin/aws
  chmod +x bin/aws
  MNIST_DIST_S3=s3://bucket/folder start_job train
  echo 0 >finish
  ended
  grep -q "^aws s3 sync --only-show-errors runs s3://bucket/folder" s3
}
