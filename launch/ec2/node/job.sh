#!/usr/bin/env bash
# Runs on the head of a cluster: its only job. It continues without the user's machine. Before AWS
# ends a node, the job stops with a checkpoint and continues on the others. Before AWS ends the
# head, or the TTL ends all nodes, it stops with a checkpoint.
#   job.sh hosts <FILE | start -- ARGUMENTS | stop | state | follow | pull S3-URL
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# One Open MPI for the build and the ranks: the system's. Images for GPUs have Amazon's one in PATH.
PATH=$(tr ':' '\n' <<<"$PATH" | grep -v '^/opt/amazon/openmpi' | paste -sd:)
# Beside the code, because that folder is overwritten by the user's machine.
job=$(dirname "$PWD")/mnist-dist-job

# A job that ended is a zombie if process 1 does not collect it, as in many containers.
is_running() { [[ -e $job/pid && $(ps -o stat= -p "$(<"$job/pid")") == [^Z]* ]]; }

start() {
  if is_running; then
    echo "error: a job is already running here" >&2
    echo "hint: follow it with launch/ec2.sh logs" >&2
    return 2
  fi
  rm -rf "$job"/{pid,code,reason,stopping,leaving,log}
  touch "$job/log"
  setsid "$PWD/launch/ec2/node/job.sh" main "$@" </dev/null >"$job/log" 2>&1 &
  # Written by main when it can receive a stop.
  until [[ -s $job/pid ]] || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
}

# Once: for ranks, a second signal means "at once, without a checkpoint".
stop() {
  if is_running && mkdir "$job/stopping" 2>/dev/null; then kill -TERM "$(<"$job/pid")"; fi
}

head_host() { awk '{ print $1; exit }' "$job/hosts"; }

# watch HOST JOB: stops the job, or takes the host out of it, when the host's end is announced. ssh
# keeps stdin open. The watcher on the host ends with it. A connection that breaks is made again.
watch() {
  local notice
  # Not a pipe: that would wait for tail, which waits for the job.
  until notice=$(ssh "$1" mnist-dist/launch/ec2/node/notice.sh \
    < <(exec tail -f /dev/null --pid="$2")); do
    kill -0 "$2" 2>/dev/null || return 0
    sleep "${MNIST_DIST_NOTICE_SECONDS:-5}"
  done
  # The head has the run folder. The TTL ends all nodes.
  if [[ $notice == "spot interruption"* && $1 != "$(head_host)" ]]; then
    echo "$notice: the job continues on the other nodes"
    echo "$1" >>"$job/leaving"
    kill -USR1 "$2"
    return
  fi
  echo "$notice" >>"$job/reason"
  echo "$notice: stopping with a checkpoint"
  stop
}

sync_s3() {
  [[ -z ${MNIST_DIST_S3:-} ]] || aws s3 sync --only-show-errors runs "$MNIST_DIST_S3" ||
    echo "warning: results could not be copied to $MNIST_DIST_S3"
}

# send_stop: hosts.sh's pid gets one TERM, for any overlap of a stop with the start of the ranks.
pid='' stop_requested=false leave_requested=false sent=false
send_stop() {
  if { $stop_requested || $leave_requested; } && [[ -n $pid ]] && ! $sent; then
    sent=true
    kill -TERM "$pid" 2>/dev/null || true
  fi
}

# on_nodes ARGUMENTS...: mnist-dist on the nodes of the job. Sets code.
on_nodes() {
  code=0 sent=false
  launch/hosts.sh --hosts "$job/hosts" ${MNIST_DIST_GPUS:+--gpus "$MNIST_DIST_GPUS"} -- "$@" &
  pid=$!
  send_stop
  while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
  wait "$pid" || code=$?
  pid=''
}

# left_nodes: takes the nodes that end out of the job. False unless the job stopped for them alone,
# with a checkpoint or because they were gone before it was written.
left_nodes() {
  $leave_requested && ! $stop_requested || return 1
  case $code in 4 | 130 | 137 | 143) ;; *) return 1 ;; esac
  leave_requested=false
  awk 'NR == FNR { leaving[$1]; next } !($1 in leaving)' "$job/leaving" "$job/hosts" \
    >"$job/hosts.new" && mv "$job/hosts.new" "$job/hosts"
}

# resume: adds the options that continue this job's run to the array arguments.
resume() {
  local folder
  [[ ${arguments[0]} == train ]] || return 0
  [[ -d runs ]] || return 0
  folder=$(find runs -name checkpoint.h5 -newer "$job/pid" -printf '%T@ %h\n' | sort -g |
    sed -n '$s/^[^ ]* //p')
  [[ -n $folder ]] || return 0
  [[ " ${arguments[*]} " == *" --resume "* ]] || arguments+=(--resume)
  [[ " ${arguments[*]}" == *" --run-dir"* ]] || arguments+=(--run-dir "$folder")
}

main() {
  local code=0 host watchers=() arguments=("$@")
  # TERM, not INT, which bash ignores in a background script.
  trap 'stop_requested=true; send_stop' TERM
  trap 'leave_requested=true; send_stop' USR1
  trap '' HUP INT
  echo "$$" >"$job/pid.new" && mv "$job/pid.new" "$job/pid"
  while read -r host _; do
    watch "$host" "$$" &
    watchers+=($!)
  done <"$job/hosts"
  if [[ -n ${MNIST_DIST_S3:-} ]]; then
    while sleep 20; do sync_s3; done &
    watchers+=($!)
  fi
  on_nodes "${arguments[@]}"
  while left_nodes; do
    resume
    on_nodes "${arguments[@]}"
  done
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
    tail -n +1 -F -s 0.2 --pid="$(<"$job/pid")" "$job/log" 2>/dev/null
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
