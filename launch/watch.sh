# shellcheck shell=bash
# Watches for lost hosts during a run. To be sourced by hosts.sh after ranks.sh and cluster.sh.
#
# When a host stops responding the other ranks notice it and abort, but mpirun (4.1) then waits for
# that host's daemon for ever: TCP keeps unsent data for a quarter of an hour, and the runtime's own
# keepalive does not count during this time. So one ssh connection per host stays open during the
# run. Its keepalive shows when the host is lost. Then the ranks get time to print where they wait,
# and mpirun is ended.
# shellcheck disable=SC2154  # set by the scripts above

# recipe_timeout ARGUMENTS...: the recipe's comm.timeout, whole seconds.
recipe_timeout() {
  recipe_of "$@" | awk -F' *= *' '
    /^\[/ { section = $0 }
    section == "[comm]" && $1 ~ /^ *timeout$/ { n = int($2 + 0.999) }
    END { print n ? n : 120 }'
}

# watch_hosts PID SECONDS HOST...: in the background. PID: mpirun's process group. Lost hosts are
# written to $work/lost, one per line.
watch_hosts() {
  local pid=$1 seconds=$2 host
  shift 2
  watchers=()
  for host in "$@"; do
    is_here "$host" && continue
    watch_host "$pid" "$seconds" "$host" &
    watchers+=($!)
  done
}

stop_watching() {
  local pid
  for pid in "${watchers[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait "${watchers[@]}" 2>/dev/null || true
}

watch_host() {
  local pid=$1 seconds=$2 host=$3 line=''
  trap 'kill $line 2>/dev/null; exit' TERM
  trap '' INT HUP
  while :; do
    # Its input ends with this script, for any reason, and then the connection ends.
    on_host_line "$host" \
      $((seconds / 4 > 0 ? seconds / 4 : 1)) < <(exec tail --pid=$$ -f /dev/null 2>/dev/null) &
    line=$!
    wait "$line" || true
    # Only this connection may have ended.
    on_host $((ssh_seconds + 2)) "$host" true </dev/null >/dev/null 2>&1 || break
    sleep 1
  done
  echo "$host" >>"$work/lost"
  sleep $((seconds / 4 + 8))
  kill -KILL -- "-$pid" 2>/dev/null || true
}

# on_host_line HOST SECONDS: an idle connection, which ends when the host has not responded for
# three times SECONDS.
on_host_line() {
  local options
  mapfile -t options < <(ssh_options)
  exec ssh "${options[@]}" -o "ServerAliveInterval=$2" -o ServerAliveCountMax=3 \
    -o ControlPath=none "$1" cat >/dev/null 2>&1
}

# responding_ranks ID: number of ranks of this start on this host, without stopped ones.
# Also runs on other hosts.
responding_ranks() {
  grep -lzxs "MNIST_DIST_START=$1" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
    sed -n 's/.*(\(mnist-dist\)) [^TtZX] .*/\1/p' "/proc/$pid/stat" 2>/dev/null
  done | wc -l
}

# Seconds between checks of mpirun.
watch_seconds=${MNIST_DIST_WATCH_SECONDS:-5}

# watch_mpirun PID ID SECONDS HOST...: in the background. Ends mpirun's process group PID when it no
# longer responds: it was stopped for SECONDS, or the first or the last HOST has had no ranks for
# 15 s, because it waits for a daemon that was stopped. If there were no ranks yet, it waits for a
# daemon that could not connect, and gets SECONDS and 20 s. Then $work/silent exists.
watch_mpirun() {
  local pid=$1 id=$2 seconds=$3 ends=("$4" "${@: -1}")
  (
    trap '' INT HUP
    gone=0 stopped=0 patience=$(((seconds + start_seconds) / watch_seconds + 1))
    while sleep "$watch_seconds"; do
      stopped=$((stopped + watch_seconds))
      [[ $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat") == T ]] || stopped=0
      none=false
      for host in "${ends[@]}"; do
        ranks=$(on_host 10 "$host" "$(declare -f responding_ranks); responding_ranks $id" \
          </dev/null) || continue
        if ((ranks > 0)); then patience=3; else none=true; fi
      done
      if $none; then gone=$((gone + 1)); else gone=0; fi
      ((stopped <= seconds && gone < patience)) || break
    done
    kill -0 -- "-$pid" && touch "$work/silent" && kill -KILL -- "-$pid"
  ) >/dev/null 2>&1 3>&- &
  watchers+=($!)
}

# again ARGUMENTS...: the command that continues without the lost hosts, with all other options.
again() {
  local command=(launch/hosts.sh --hosts "$(slots='' list_hosts | while read -r host n; do
    ! grep -qsxF -- "$host" "$work/lost" || continue
    if ((n > 0)); then echo "$host:$n"; else echo "$host"; fi
  done | paste -sd,)" "${own_options[@]}" -- "$@")
  if [[ $1 == train && " $* " != *" --resume "* ]]; then command+=(--resume); fi
  printf '%q ' "${command[@]}"
}

# fault CODE SECONDS: the reason of the run's end.
fault() {
  if [[ -s $work/lost ]]; then
    echo "$(sort -u "$work/lost" | paste -sd, | sed 's/,/, /g') stopped responding for $2 s," \
      "so the run was ended"
  elif [[ -s $work/failed-$start_id ]]; then
    echo "$(sort -u "$work/failed-$start_id" | paste -sd, | sed 's/,/, /g'): mpirun could not" \
      "start its daemon there"
  elif [[ -e $work/silent ]]; then
    echo "mpirun stopped responding, so the run was ended"
  else
    fault_of "$1"
  fi
}

# explain_end CODE SECONDS ARGUMENTS...: exits with the run's code. Prints the fault if neither the
# ranks nor mpirun printed it.
explain_end() {
  local code=$1 seconds=$2
  shift 2
  if [[ -s $work/lost && $code == 130 ]]; then
    say "note: $(sort -u "$work/lost" | paste -sd' ') stopped responding, so the newest checkpoint \
is from before that"
  elif [[ -s $work/lost && $code != 0 ]]; then
    die 4 "$(fault "$code" "$seconds")" "continue without it, with the same result: $(again "$@")"
  fi
  case $code in
    0 | [1-6] | 130) exit "$code" ;;
  esac
  local hint="check the hosts with launch/preflight.sh, or print mpirun's messages with --verbose"
  [[ $code != 137 || -e $work/silent ]] ||
    hint="check dmesg on its host for memory errors, then resume with --resume"
  die 4 "$(fault "$code" "$seconds")" "$hint"
}
