# shellcheck shell=bash
# A list of ssh hosts, and how ssh and mpirun reach them. Shared by preflight.sh and hosts.sh.
# To be sourced after lib.sh.

# cluster_option sets them. The functions below return them.
# shellcheck disable=SC2034  # by the scripts
hosts_argument='' slots='' interface='' ssh_key='' ssh_config='' gpus='' \
  ssh_seconds=${MNIST_DIST_SSH_SECONDS:-8} daemon_ssh=ssh \
  start_seconds=${MNIST_DIST_START_SECONDS:-20} # time limit for the start of the ranks

cluster_usage() {
  cat <<'HELP'
  --hosts LIST|FILE   a,b,c or a:4,b:4 (host:slots), or a file of lines "host" or "host slots=4",
                      as in mpirun's hostfiles
  --slots N           ranks per host, for hosts without a number (default: its GPUs if it has any,
                      otherwise its physical cores)
  --gpus N            GPUs that every host must have. A host with fewer is rejected
  --interface I       network between the hosts, as a name (eth0) or a range (10.0.0.0/24)
                      (default: that of the route from here to the first other host)
  --ssh-key FILE      private key for the hosts
  --ssh-config FILE   replaces ~/.ssh/config: users, ports, keys, known hosts
HELP
}

# cluster_option NAME VALUE: true when it is one of these.
cluster_option() {
  case $1 in
    --hosts) hosts_argument=$2 ;;
    --slots | --gpus)
      [[ $2 =~ ^[1-9][0-9]*$ ]] || wrong_value "$1" "$2" "at least 1" 4
      # shellcheck disable=SC2034
      if [[ $1 == --slots ]]; then slots=$2; else gpus=$2; fi
      ;;
    --interface)
      [[ $2 =~ ^[A-Za-z0-9][A-Za-z0-9_.:/-]*$ ]] ||
        die 2 "--interface: wrong value (got '$2', expected a network's name or range)" \
          "use for example --interface eth0 or --interface 10.0.0.0/24"
      interface=$2
      ;;
    --ssh-key | --ssh-config)
      # ssh's command line passes through mpirun, which splits it at blanks.
      [[ -f $2 && -r $2 && $2 != *[[:space:]]* ]] ||
        die 2 "$1: wrong file (got '$2', expected a readable one without blanks in its name)" \
          "use for example $1 ~/.ssh/id_ed25519"
      if [[ $1 == --ssh-key ]]; then ssh_key=$(realpath "$2"); else ssh_config=$(realpath "$2"); fi
      ;;
    *) return 1 ;;
  esac
}

# list_hosts: one line per host, "HOST SLOTS". SLOTS is 0 if only the host itself has the number.
list_hosts() {
  local lines table
  [[ -n $hosts_argument ]] || die 2 "--hosts: missing" "give --hosts a,b,c or --hosts FILE"
  if [[ -f $hosts_argument ]]; then
    # A file that was edited on Windows ends its lines with a carriage return as well.
    lines=$(sed 's/#.*//; s/\r$//' "$hosts_argument")
  elif [[ $hosts_argument == */* ]]; then
    die 2 "there is no file $hosts_argument" "give --hosts a file, or a list like a,b,c"
  else
    lines=$(tr ',' '\n' <<<"$hosts_argument" | sed 's/:\([0-9]*\)$/ slots=\1/')
  fi
  table=$(awk -v otherwise="${slots:-0}" '
    !NF { next }
    {
      n = otherwise
      for (i = 2; i <= NF; i++) if ($i ~ /^slots=[1-9][0-9]*$/) n = substr($i, 7); else bad = $0
      if ($1 !~ /^[A-Za-z0-9_.@-]+$/ || $1 ~ /^-/) bad = $0
      if (seen[$1]++) twice = $1
      table = table $1 " " n "\n"
    }
    END {
      if (bad) print "not a host: " bad
      else if (twice) print "named twice: " twice
      else if (!table) print "no host in it"
      else { printf "%s", table; exit }
      exit 1
    }' <<<"$lines") ||
    die 2 "--hosts $hosts_argument: $table" \
      "give --hosts a,b,c, or a file of lines like: node1 slots=4"
  echo "$table"
}

# ssh_options: one per line. BatchMode, because an invisible question is a hang.
ssh_options() {
  printf '%s\n' -o BatchMode=yes -o "ConnectTimeout=$ssh_seconds"
  [[ -z $ssh_config ]] || printf '%s\n' -F "$ssh_config"
  [[ -z $ssh_key ]] || printf '%s\n' -i "$ssh_key"
}

# on_host SECONDS HOST COMMAND: over ssh, or without it if HOST is this machine, which need not have
# a key for itself. Never takes longer than SECONDS, because a host may also stop responding later,
# or hang on a dead NFS server.
on_host() {
  local options
  if is_here "$2"; then
    timeout -k 2 "$1" bash -c "$3"
  else
    mapfile -t options < <(ssh_options)
    timeout -k 2 "$1" ssh "${options[@]}" "$2" "$3"
  fi
}

address_of() { getent ahostsv4 "${1#*@}" | awk '{ print $1; exit }'; }

# is_here HOST: a name or an address of this machine. Its own addresses only: a port forwarded from
# here may lead elsewhere.
is_here() {
  local address
  case $1 in localhost | "$(hostname)") return 0 ;; esac
  address=$(address_of "$1")
  [[ -n $address ]] && [[ " $(hostname -I 2>/dev/null) " == *" $address "* ]]
}

# network_to HOST: the range of addresses, as 10.0.0.0/24, of the network to the host. Prints
# nothing if a router is between.
network_to() {
  local address device prefix own bits
  address=$(address_of "$1")
  device=$(ip -4 route get "$address" 2>/dev/null | sed -n '1{/ via /d; s/.* dev \([^ ]*\).*/\1/p}')
  [[ -n $device ]] || return 0
  prefix=$(ip -o -4 address show dev "$device" | awk '{ print $4; exit }')
  own=${prefix%/*} bits=${prefix#*/}
  local -a part
  IFS=. read -ra part <<<"$own"
  local number=$((part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]))
  number=$((number & (0xffffffff << (32 - bits))))
  printf '%d.%d.%d.%d/%s\n' $((number >> 24 & 255)) $((number >> 16 & 255)) \
    $((number >> 8 & 255)) $((number & 255)) "$bits"
}

# network_options MAJOR HOST...: mpirun's options for the start of ranks there and for their
# network, one per line.
network_options() {
  local major=$1 host network=$interface runtime=--mca launcher=plm_rsh
  shift
  # Open MPI 5's starter has its own options, and a different name for ssh.
  if ((major >= 5)); then runtime=--prtemca launcher=plm_ssh; fi
  # All daemons are started from here: the hosts need no keys for each other.
  printf '%s\n' "$runtime" "${launcher}_agent" "$daemon_ssh" "$runtime" \
    "${launcher}_args" "$(ssh_options | xargs)" "$runtime" "${launcher}_no_tree_spawn" 1
  local mpirun_path
  # shellcheck disable=SC2154  # find_mpirun sets it
  mpirun_path=$(command -v "$mpirun")
  [[ $mpirun_path == /usr/bin/* ]] ||
    printf '%s\n' --prefix "$(dirname "$(dirname "$mpirun_path")")"
  if [[ -z $network ]]; then
    for host in "$@"; do
      is_here "$host" || { network=$(network_to "$host") && break; }
    done
  fi
  # By default Open MPI tries every interface, and waits for ever on a bridge of containers that has
  # the same address on each host.
  if [[ -n $network ]]; then
    printf '%s\n' --mca btl_tcp_if_include "$network" "$runtime" oob_tcp_if_include "$network"
  else
    printf '%s\n' --mca btl_tcp_if_exclude lo,docker0,virbr0
  fi
}

# forwarded_environment: the variables for ranks on other hosts. Open MPI itself forwards its own
# (OMPI_MCA_*).
forwarded_environment() {
  local name
  for name in $(compgen -e); do
    case $name in
      MNIST_* | *SAN_OPTIONS | NCCL_* | FI_* | UCX_* | OMP_NUM_THREADS | CUDA_* | \
        LD_LIBRARY_PATH | NO_COLOR) printf '%s\n' -x "$name" ;;
    esac
  done
}

# shellcheck disable=SC2154  # lib.sh's
need_program() {
  [[ -x $program ]] || die 2 "there is no $program" "build it with launch/local.sh --print"
}
