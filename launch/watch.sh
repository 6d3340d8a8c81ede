# shellcheck shell=bash
# Watches that the hosts of a run stay there. To be sourced by hosts.sh after cluster.sh.
#
# When a host falls silent the ranks elsewhere find out and abort, but mpirun (4.1) then waits for that host's daemon for ever: TCP keeps
# what it wanted to tell it for a quarter of an hour, and the runtime's own keepalive does not count while something is unsent. So one ssh connection
# a host stays open beside the run, whose keepalive says when the host is lost; then the ranks get time to say where they wait, and mpirun is ended.
# shellcheck disable=SC2154  # what the scripts above set

# recipe_timeout ARGUMENTS...: the recipe's comm.timeout, whole seconds. Only train shows a recipe: of other commands it is given what names theirs.
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
  awk -F' *= *' '/^\[/ { section = $0 } section == "[comm]" && $1 ~ /^ *timeout$/ { n = int($2 + 0.999) } END { print n ? n : 120 }' <<<"$recipe"
}

# watch_hosts PID SECONDS HOST...: in the background. PID: mpirun's process group. Lost hosts are written to $work/lost, one a line.
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
  local pid=$1 seconds=$2 host=$3 line
  trap 'kill "$line" 2>/dev/null; exit' TERM
  trap '' INT HUP
  while :; do
    # Its input ends with this script, whatever happens to it, and then so does the connection.
    on_host_line "$host" $((seconds / 4 > 0 ? seconds / 4 : 1)) < <(exec tail --pid=$$ -f /dev/null 2>/dev/null) &
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

# on_host_line HOST SECONDS: a connection that does nothing, and ends when the host has not answered for three times so long.
on_host_line() {
  local options
  mapfile -t options < <(ssh_options)
  exec ssh "${options[@]}" -o "ServerAliveInterval=$2" -o ServerAliveCountMax=3 -o ControlPath=none "$1" cat >/dev/null 2>&1
}

# again ARGUMENTS...: the command that goes on without the lost hosts.
again() {
  local command=(launch/hosts.sh --hosts "$(grep -vxFf "$work/lost" <(printf '%s\n' "${hosts[@]}") | paste -sd,)")
  [[ -z $slots ]] || command+=(--slots "$slots")
  [[ -z $ssh_config ]] || command+=(--ssh-config "$ssh_config")
  [[ -z $ssh_key ]] || command+=(--ssh-key "$ssh_key")
  command+=(-- "$@")
  if [[ $1 == train && " $* " != *" --resume "* ]]; then command+=(--resume); fi
  printf '%q ' "${command[@]}"
}

# explain_end CODE SECONDS ARGUMENTS...: exits as the run did; says what neither the ranks nor a silent mpirun said.
explain_end() {
  local code=$1 seconds=$2
  shift 2
  if [[ -s $work/lost && $code == 130 ]]; then
    say "note: $(sort -u "$work/lost" | paste -sd' ') stopped answering: what is on disk is the last checkpoint before"
  elif [[ -s $work/lost && $code != 0 ]]; then
    die 4 "$(sort -u "$work/lost" | paste -sd' ' | sed 's/ /, /g') stopped answering for $seconds s; the run was ended" \
      "go on without it, to the same result: $(again "$@")"
  fi
  case $code in
    0 | [1-6] | 130) exit "$code" ;;
    137) die 4 "a rank was killed (KILL)" "out of memory? dmesg on its host says so; --resume goes on" ;;
    *) die 4 "mpirun ended with code $code" "launch/preflight.sh looks at the hosts; --verbose shows what mpirun says" ;;
  esac
}
