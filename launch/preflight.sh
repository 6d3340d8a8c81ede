#!/usr/bin/env bash
# Checks the hosts of a cluster before ranks are started there: names each fault that would end in a
# silent hang later, with its fix.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=cluster.sh
source "$root/launch/cluster.sh"

usage() {
  cat <<'HELP'
usage: launch/preflight.sh --hosts a,b,c|FILE [options]

Checks all hosts at once over ssh: reachable, same Open MPI, same mnist-dist at the same path, the
current folder, free disk, right clock, GPUs. Then all of them add vectors for two seconds. The
first line of stderr that begins with "error:" names the bad host, the next line the fix. The exit
code is then 4 (3: no folder or disk).

HELP
  cluster_usage
  cat <<'HELP'
  --seconds N         duration of the all-reduce (default: 2, 0 disables it)
  --min-hosts M       leave bad hosts out as long as M are good
  -h, --help          print this help

On stdout, for other scripts: one line per host, "HOST SLOTS CORES MASKED" (MASKED 1: some of its
CPUs are not available).
HELP
}

# read_facts HOST: the values that the host sent, without control characters.
declare -A facts
read_facts() {
  local line name value
  while IFS= read -r line; do
    name=${line%%=*} value=${line#*=} value=${value//[[:cntrl:]]/}
    case $name in disk | temporary | cores | masked | gpus) value=${value//[!0-9]/} ;; esac
    [[ -z $name ]] || facts["$1 $name"]=${value:0:200}
  done <"$work/$1.facts"
}

# fact HOST NAME: one of these values.
fact() { printf '%s' "${facts["$1 $2"]:-}"; }

# ask HOST: runs the probe there.
ask() {
  local host=$1 code=0 script
  script="program=${program@Q} folder=${PWD@Q}
$(<"$root/launch/host_probe.sh")"
  date +%s.%N >"$work/$host.before"
  on_host $((ssh_seconds + 12)) \
    "$host" 'bash -s' <<<"$script" >"$work/$host.facts" 2>"$work/$host.err" || code=$?
  date +%s.%N >"$work/$host.after"
  echo "$code" >"$work/$host.code"
}

# bad CODE HOST PROBLEM FIX: prints a line of the table. The first one is printed again at the end.
bad() {
  printf 'bad   %-12s %s\n' "$2" "$3" >&2
  [[ -n ${first_bad:-} ]] || first_bad=("$1" "$2 $3" "$4")
  bad_hosts=$((bad_hosts + 1))
}

# judge_ssh HOST: the reason of a failed connection, from ssh's last line.
judge_ssh() {
  local host=$1 words
  words=$(grep -v '^Warning:' "$work/$host.err" | tail -n 1 | tr -d '[:cntrl:]' | cut -c1-200) ||
    true
  case $(<"$work/$host.code"):$(<"$work/$host.err") in
    124:* | *"timed out"* | *"No route to host"* | *"Network is unreachable"*)
      bad 4 "$host" "is not responding: no ssh within $ssh_seconds s" \
        "start it and open port 22, or leave it out of --hosts"
      ;;
    *"Connection refused"*)
      bad 4 "$host" "rejects ssh" "start sshd there, or set its port in ~/.ssh/config"
      ;;
    *"Permission denied"*)
      bad 4 "$host" "rejects ssh without a password" \
        "run ssh-copy-id $host, or give the key with --ssh-key"
      ;;
    *"IDENTIFICATION HAS CHANGED"*)
      bad 4 "$host" "has a different ssh host key than before" \
        "run ssh-keygen -R $host, then ssh $host true, if it was installed again"
      ;;
    *"Host key verification failed"*)
      bad 4 "$host" "has an ssh host key that was not accepted yet" \
        "run ssh $host true, and confirm its key"
      ;;
    *"not resolve"*)
      bad 4 "$host" "has no address" \
        "check its spelling, or add it to /etc/hosts or ~/.ssh/config"
      ;;
    *) bad 4 "$host" "cannot be checked: ${words:-ssh ended with $(<"$work/$host.code")}" \
      "try by hand: ssh -o BatchMode=yes $host true" ;;
  esac
}

# clock_error HOST: the least error of its clock in seconds, given the duration of the request.
clock_error() {
  awk -v before="$(<"$work/$1.before")" -v after="$(<"$work/$1.after")" \
    -v there="$(fact "$1" clock)" '
    BEGIN {
      printf "%.1f", (there < before) ? there - before : (there > after) ? there - after : 0
    }'
}

# judge HOST: one line, ok or bad.
judge() {
  local host=$1 off
  [[ -n $(fact "$host" complete) ]] || { judge_ssh "$host" && return; }
  off=$(clock_error "$host")
  local seen=$(($(fact "$host" gpus)))
  local copy="copy it: rsync -a ${program%/*}/ $host:${program%/*}/"
  if [[ -n $(fact "$host" no_mpi) ]]; then
    bad 4 "$host" "has no $(fact "$host" no_mpi) in the PATH of an ssh command" \
      "install Open MPI $(fact here mpi) there (launch/setup.sh), or set PATH before ~/.bashrc \
returns"
  elif [[ $(fact "$host" mpi) != "$(fact here mpi)" ]]; then
    bad 4 "$host" "has Open MPI $(fact "$host" mpi), this machine $(fact here mpi)" \
      "install the same one on all hosts"
  elif [[ -n $(fact "$host" no_program) ]]; then
    bad 4 "$host" "has no $program" "share its folder (NFS), or $copy"
  elif [[ -n $(fact "$host" broken) ]]; then
    bad 4 "$host" "cannot start mnist-dist: $(fact "$host" broken)" "run launch/setup.sh there"
  elif [[ $(fact "$host" version) != "$(fact here version)" ]]; then
    bad 4 "$host" "has $(fact "$host" version), this machine $(fact here version)" "$copy"
  elif [[ $(fact "$host" hash) != "$(fact here hash)" ]]; then
    bad 4 "$host" "has a different build of $(fact "$host" version)" "$copy"
  elif [[ -z $(fact "$host" cores) ]]; then
    bad 4 "$host" "cannot count its cores" "run $program doctor --cores there"
  elif [[ -n $(fact "$host" no_folder) ]]; then
    bad 3 "$host" "has no folder $PWD" \
      "share it (NFS), or create it there with data/ and configs/"
  elif (($(fact "$host" disk) < 200000)); then
    bad 3 "$host" "has $(($(fact "$host" disk) / 1000)) MB of disk free in $PWD" \
      "free some space: data and runs take up to 200 MB"
  elif (($(fact "$host" temporary) < 50000)); then
    bad 3 "$host" "has $(($(fact "$host" temporary) / 1000)) MB of disk free for temporary files" \
      "free some space there: Open MPI keeps its session there"
  elif awk -v off="$off" 'BEGIN { exit !(off > 5 || off < -5) }'; then
    bad 4 "$host" "has a clock that is $off s off" "turn on NTP there: timedatectl set-ntp true"
  elif [[ -n $(fact "$host" gpu_trouble) ]]; then
    bad 4 "$host" "has a GPU driver that fails: $(fact "$host" gpu_trouble)" \
      "try nvidia-smi there, and reboot it after a driver update"
  elif [[ -n $gpus ]] && ((seen < gpus)); then
    bad 4 "$host" "sees $seen of $gpus GPUs" \
      "try nvidia-smi there, and reboot it if a GPU fell off the bus"
  else
    printf 'ok    %-12s Open MPI %s, %s, %s, %s, %s GB free, clock %+.1f s\n' "$host" \
      "$(fact "$host" mpi)" "$(fact "$host" version)" \
      "$(count "$(fact "$host" cores)" core)" "$(count "$seen" GPU)" \
      "$(($(fact "$host" disk) / 1000000))" "$off" >&2
  fi
}

# add_vectors SECONDS HOST...: one rank per host. Prints the result. Fails if it does not end in
# time.
add_vectors() {
  local seconds=$1 list options
  shift
  list=$(IFS=, && echo "${*/%/:1}")
  mapfile -t options < <(network_options "$major" "$@")
  ((major >= 5)) || options+=(-q)
  timeout --foreground -k 3 $((seconds + start_seconds + $# / 4)) "$mpirun" -np $# --host "$list" \
    "${options[@]}" --bind-to none \
    "$program" doctor --all-reduce "$seconds" </dev/null
}

# find_bad_pair HOST...: tries all with the first one, and each with the next one. Sets who to the
# host that is in all failing pairs ("HOST and the others"), otherwise to a failing pair.
find_bad_pair() {
  local hosts=("$@") pairs=() failed=() i
  for ((i = 1; i < $#; i++)); do pairs+=("${hosts[0]} ${hosts[i]}"); done
  for ((i = 1; i + 1 < $#; i++)); do pairs+=("${hosts[i]} ${hosts[i + 1]}"); done
  for i in "${!pairs[@]}"; do
    # shellcheck disable=SC2086  # two words
    add_vectors 1 ${pairs[i]} >"$work/pair$i" 2>&1 &
    pids[i]=$!
  done
  for i in "${!pairs[@]}"; do wait "${pids[i]}" || failed+=("${pairs[i]}"); done
  who=$(printf '%s\n' "${failed[@]}" |
    awk '{ n[$1]++; n[$2]++ }
      END { if (NR > 1) for (host in n) if (n[host] == NR) print host " and the others" }')
  : "${who:=${failed[0]:-${hosts[*]}}}"
}

die_of_bad_pair() {
  die 4 "no all-reduce between $([[ $who == *others ]] && echo "$who" || echo "${who// /, }"), \
although ssh works" \
    "open all TCP ports between the hosts (firewall, security group), or those of \
docs/cluster.md, or give their network with --interface"
}

seconds=2 min_hosts=''
while (($#)); do
  case $1 in
    -h | --help) usage; exit ;;
    --seconds)
      [[ ${2:-} =~ ^[0-9]$|^[1-5][0-9]$|^60$ ]] ||
        wrong_value "$1" "${2:-}" "0 to 60" 2
      seconds=$2
      ;;
    --min-hosts)
      [[ ${2:-} =~ ^[1-9][0-9]{0,5}$ ]] || wrong_value "$1" "${2:-}" "1 to 999999" 1
      min_hosts=$2
      ;;
    *)
      cluster_option "$1" "${2:-}" ||
        die 2 "unknown argument $1" "read launch/preflight.sh --help"
      ;;
  esac
  shift 2 || die 2 "$1 needs a value" "read launch/preflight.sh --help"
done

work=$(temporary -d)
# shellcheck disable=SC2317  # the trap calls it
leave() {
  local jobs
  jobs=$(jobs -p)
  # shellcheck disable=SC2086  # one word per process
  [[ -z $jobs ]] || kill $jobs 2>/dev/null || true
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT HUP
trap 'exit 143' TERM
table=$(list_hosts)
mapfile -t hosts < <(awk '{ print $1 }' <<<"$table")
find_mpirun

need_program
pids=()
for host in "${hosts[@]}"; do ask "$host" & pids+=($!); done
# The hosts are compared with this machine, which need not be one of them.
(
  # shellcheck disable=SC2034  # for the probe
  folder=$PWD
  # shellcheck source=host_probe.sh
  source "$root/launch/host_probe.sh"
) >"$work/here.facts" 2>/dev/null
wait "${pids[@]}"

for host in here "${hosts[@]}"; do read_facts "$host"; done
bad_hosts=0
good=()
for host in "${hosts[@]}"; do
  before=$bad_hosts
  judge "$host"
  ((bad_hosts > before)) || good+=("$host")
done
if ((bad_hosts)) && { [[ -z $min_hosts ]] || ((${#good[@]} < min_hosts)); }; then
  ((bad_hosts == 1)) || first_bad[1]+=" (and $((bad_hosts - 1)) more: see above)"
  die "${first_bad[@]}"
fi

while ((seconds > 0 && ${#good[@]} > 1)); do
  pids=()
  if text=$(add_vectors "$seconds" "${good[@]}" 2>"$work/mpirun.err"); then
    printf 'ok    %-12s %s\n' all-reduce "$text" >&2
    break
  fi
  printf 'bad   %-12s %s\n' all-reduce "failed, trying the hosts in pairs" >&2
  find_bad_pair "${good[@]}"
  if [[ -z $min_hosts ]] || ((${#good[@]} <= min_hosts)); then die_of_bad_pair; fi
  # Of a pair, the second: the first one has the results.
  [[ $who == *others ]] || who=${who#* }
  leave_out=${who%% *}
  printf 'bad   %-12s no all-reduce with it, left out\n' "$leave_out" >&2
  mapfile -t good < <(printf '%s\n' "${good[@]}" | grep -vxF -- "$leave_out")
done

while read -r host n; do
  [[ " ${good[*]} " == *" $host "* ]] || continue
  ((n > 0)) || n=$(fact "$host" gpus)
  ((n > 0)) || n=$(fact "$host" cores)
  echo "$host $n $(fact "$host" cores) $(fact "$host" masked)"
done <<<"$table"
