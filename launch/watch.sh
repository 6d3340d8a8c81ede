# shellcheck shell=bash
# Watches that the hosts of a run stay there. To be sourced by hosts.sh after cluster.sh.
#
# When a host falls silent the ranks elsewhere find out and abort, but mpirun (4.1) then waits for
# that host's daemon for ever: TCP keeps what it wanted to send it for a quarter of an hour, and the
# runtime's own keepalive does not count while something is unsent. So one ssh connection per host
# stays open beside the run, whose keepalive shows when the host is lost; then the ranks get time to
# print where they wait, and mpirun is ended.
# shellcheck disable=SC2154  # what the scripts above set

# recipe_timeout ARGUMENTS...: the recipe's comm.timeout, whole seconds. Only train shows a recipe:
# of other commands it is given what names theirs.
recipe_timeout() {
  local recipe words=("$@")
  if [[ $1 != train ]]; then
    words=(train)
    while (($#)); do
      case $1 in
        --config | --set) words+=("$1" "${2:-}") ;;
        --config=* | --set=*) words+=("$1") ;;
      esac
      shift
    done
  fi
  recipe=$("$program" "${words[@]}" --print-config 2>/dev/null) || true
  awk -F' *= *' '
    /^\[/ { section = $0 }
    section == "[comm]" && $1 ~ /^ *timeout$/ { n = int($2 + 0.999) }
    END { print n ? n : 120 }' <<<"$recipe"
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
    # Its input ends with this script, whatever happens to it, and then so does the connection.
    on_host_line "$host" \
      $((seconds / 4 > 0 ? seconds / 4 : 1)) < <(exec tail --pid=$$ -f /dev/null 2>/dev/null) &
    line=$!
    wait "$line" || true
    # Somebody may have ended just this connection.
    on_host $((ssh_seconds + 2)) "$host" true </dev/null >/dev/null 2>&1 || break
    sleep 1
  done
  echo "$host" >>"$work/lost"
  sleep $((seconds / 4 + 8))
  kill -KILL -- "-$pid" 2>/dev/null || true
}

# on_host_line HOST SECONDS: a connection that does nothing, and ends when the host has not answered
# for three times so long.
on_host_line() {
  local options
  mapfile -t options < <(ssh_options)
  exec ssh "${options[@]}" -o "ServerAliveInterval=$2" -o ServerAliveCountMax=3 \
    -o ControlPath=none "$1" cat >/dev/null 2>&1
}

# responding_ranks ID: how many ranks of this start run on this host; stopped ones do not count.
# Also runs on other hosts.
responding_ranks() {
  grep -lzxs "MNIST_DIST_START=$1" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
    sed -n 's/.*(\(mnist-dist\)) [^TtZX] .*/\1/p' "/proc/$pid/stat" 2>/dev/null
  done | wc -l
}

# watch_mpirun PID ID SECONDS HOST...: in the background. Ends mpirun's process group PID when it no
# longer responds: it was stopped for SECONDS, or it outlives the ranks of the first and the last
# HOST by a quarter of a minute, since it waits for a daemon that was stopped. Then $work/silent
# exists.
watch_mpirun() {
  local pid=$1 id=$2 seconds=$3 ends=("$4" "${@: -1}")
  (
    trap '' INT HUP
    seen=false gone=0 stopped=0
    while sleep 5; do
      stopped=$((stopped + 5))
      [[ $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat") == T ]] || stopped=0
      none=false
      for host in "${ends[@]}"; do
        ranks=$(on_host 10 "$host" "$(declare -f responding_ranks); responding_ranks $id" \
          </dev/null) || continue
        if ((ranks > 0)); then seen=true; else none=true; fi
      done
      if $seen && $none; then gone=$((gone + 1)); else gone=0; fi
      ((stopped <= seconds && gone < 3)) || break
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

# fault CODE SECONDS: what ended the run.
fault() {
  if [[ -s $work/lost ]]; then
    echo "$(sort -u "$work/lost" | paste -sd, | sed 's/,/, /g') stopped answering for $2 s;" \
      "the run was ended"
  elif [[ -e $work/silent ]]; then
    echo "mpirun stopped responding; the run was ended"
  else
    fault_of "$1"
  fi
}

# explain_end CODE SECONDS ARGUMENTS...: exits as the run did; says what neither the ranks nor a
# silent mpirun said.
explain_end() {
  local code=$1 seconds=$2
  shift 2
  if [[ -s $work/lost && $code == 130 ]]; then
    say "note: $(sort -u "$work/lost" | paste -sd' ') stopped answering: what is on disk is the \
last checkpoint before"
  elif [[ -s $work/lost && $code != 0 ]]; then
    die 4 "$(fault "$code" "$seconds")" "continue without it, to the same result: $(again "$@")"
  fi
  case $code in
    0 | [1-6] | 130) exit "$code" ;;
  esac
  local hint="launch/preflight.sh looks at the hosts; --verbose shows what mpirun says"
  ((code != 137)) || hint="out of memory? dmesg on its host says so; --resume continues"
  die 4 "$(fault "$code" "$seconds")" "$hint"
}
