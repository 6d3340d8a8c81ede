#!/usr/bin/env bash
# Runs on the head of a cluster: the one job there is. It continues when the laptop is closed, and
# stops in time, with a checkpoint, when AWS or the TTL is about to take a node.
#   job.sh hosts <FILE | start -- ARGUMENTS | stop | state | follow | pull S3-URL
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# One Open MPI for the build and the ranks: the system's. Images for GPUs have Amazon's one in PATH.
PATH=$(tr ':' '\n' <<<"$PATH" | grep -v '^/opt/amazon/openmpi' | paste -sd:)
# Beside the code: that folder is overwritten from the laptop.
job=$(dirname "$PWD")/mnist-dist-job

# A job that ended is a zombie where process 1 does not collect them, as in many containers.
is_running() { [[ -e $job/pid && $(ps -o stat= -p "$(<"$job/pid")") == [^Z]* ]]; }

start() {
  if is_running; then
    echo "error: a job is running here already" >&2
    echo "hint: launch/ec2.sh logs follows it" >&2
    return 2
  fi
  rm -rf "$job"/{pid,code,reason,stopping,log}
  touch "$job/log"
  setsid "$PWD/launch/ec2/node/job.sh" main "$@" </dev/null >"$job/log" 2>&1 &
  # Written by main, once a stop would be heard.
  until [[ -s $job/pid ]] || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
}

# Once: ranks take a second signal as "at once, without a checkpoint".
stop() {
  if is_running && mkdir "$job/stopping" 2>/dev/null; then kill -TERM "$(<"$job/pid")"; fi
}

# watch HOST JOB: the job's end when the host's end is announced. ssh keeps stdin open, at whose end
# the watcher there ends, too.
watch() {
  local notice
  # Not a pipe: that would wait for tail, which waits for the job.
  notice=$(ssh "$1" mnist-dist/launch/ec2/node/notice.sh < <(exec tail -f /dev/null --pid="$2")) ||
    return 0
  echo "$notice" >>"$job/reason"
  echo "$notice: stopping with a checkpoint"
  stop
}

sync_s3() {
  [[ -z ${MNIST_DIST_S3:-} ]] || aws s3 sync --only-show-errors runs "$MNIST_DIST_S3" ||
    echo "warning: results could not be copied to $MNIST_DIST_S3"
}

# tell_ranks: hosts.sh's pid gets one TERM, however a stop and the start of the job overlap.
pid='' stop_asked=false told=false
tell_ranks() {
  if $stop_asked && [[ -n $pid ]] && ! $told; then
    told=true
    kill -TERM "$pid" 2>/dev/null || true
  fi
}

main() {
  local code=0 host watchers=()
  # TERM, not INT: bash keeps a script in the background from ever listening to INT.
  trap 'stop_asked=true; tell_ranks' TERM
  trap '' HUP INT
  echo "$$" >"$job/pid.new" && mv "$job/pid.new" "$job/pid"
  launch/hosts.sh --hosts "$job/hosts" ${MNIST_DIST_GPUS:+--gpus "$MNIST_DIST_GPUS"} -- "$@" &
  pid=$!
  tell_ranks
  while read -r host _; do
    watch "$host" "$$" &
    watchers+=($!)
  done <"$job/hosts"
  if [[ -n ${MNIST_DIST_S3:-} ]]; then
    while sleep 20; do sync_s3; done &
    watchers+=($!)
  fi
  while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
  wait "$pid" || code=$?
  sync_s3
  echo "$code" >"$job/code"
  kill "${watchers[@]}" 2>/dev/null || true
}

# One line: "none", "running since TIME", "exited CODE REASON".
state() {
  if is_running; then
    echo "running since $(date -r "$job/pid" '+%H:%M:%S')"
  elif [[ -e $job/code ]]; then
    echo "exited $(<"$job/code") $(head -n 1 "$job/reason" 2>/dev/null)"
  elif [[ -e $job/pid ]]; then
    echo "killed"
  else
    echo "none"
  fi
}

# The log from its beginning to the job's end.
follow() {
  if is_running; then
    tail -n +1 -F --pid="$(<"$job/pid")" "$job/log" 2>/dev/null
  else
    cat "$job/log"
  fi
}

mkdir -p "$job"
case $1 in
  hosts) cat >"$job/hosts" ;;
  start | main) verb=$1 && shift && { [[ ${1:-} != -- ]] || shift; } && "$verb" "$@" ;;
  stop | state | follow) "$1" ;;
  pull) mkdir -p runs && aws s3 sync --only-show-errors "$2" runs ;;
esac
