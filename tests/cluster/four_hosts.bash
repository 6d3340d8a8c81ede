# shellcheck shell=bash
# Four hosts on this machine, to be made inside private.sh: network namespaces on a bridge, each
# with its own address, name, mounts, one core and sshd. They share the file system, as hosts of a
# cluster share NFS.

# make_hosts FOLDER: host1 to host4. Keys, logs and the file SSH_CONFIG go to FOLDER.
make_hosts() {
  local folder=$1 n
  export HOSTS_FOLDER=$folder SSH_CONFIG=$folder/ssh_config
  ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
  ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
  {
    echo "127.0.0.1 localhost"
    for n in 1 2 3 4; do echo "10.77.0.$n host$n"; done
  } >"$folder/hosts"
  mount --bind "$folder/hosts" /etc/hosts
  sed "s/^/* /" "$folder/host_key.pub" >"$folder/known_hosts"
  printf '%s\n' "IdentityFile $folder/key" "IdentitiesOnly yes" \
    "UserKnownHostsFile $folder/known_hosts" >"$SSH_CONFIG"
  make_switch
  for n in 1 2 3 4; do make_host "$folder" "$n" "10.77.0.$n/24"; done
}

make_switch() {
  mkdir -p /run/sshd
  ip link add switch type bridge
  ip link set switch up
}

# make_host FOLDER N ADDRESS/BITS: accepts the keys in FOLDER/key.pub, and those in the home folder.
make_host() {
  local folder=$1 n=$2 address=$3 pid
  # A process that does nothing holds the namespaces. Its core is the host's.
  unshare --net --uts --mount taskset -c $(((n - 1) % $(nproc --all))) sleep infinity \
    </dev/null >/dev/null 2>&1 3>&- &
  pid=$!
  echo $pid >"$folder/host$n.pid"
  until [[ $(readlink "/proc/$pid/ns/net") != "$(readlink /proc/self/ns/net)" &&
    $(<"/proc/$pid/comm") == sleep ]]; do sleep 0.02; done
  ip link add "port$n" type veth peer name cable netns "$pid"
  ip link set "port$n" master switch up
  limit_link "host$n" 1gbit
  printf '%s\n' "HostKey $folder/host_key" \
    "AuthorizedKeysFile $folder/key.pub .ssh/authorized_keys" "PidFile none" \
    "StrictModes no" "UsePAM no" "PermitRootLogin yes" >"$folder/sshd$n"
  on "host$n" bash -c "hostname host$n && ip link set lo up && ip link set cable up &&
    ip address add $address dev cable &&
    /usr/sbin/sshd -f '$folder/sshd$n' -E '$folder/sshd$n.log'" 3>&-
}

# The rest of them ends with private.sh.
stop_hosts() { cat "$HOSTS_FOLDER"/host?.pid | xargs kill; }

# enter HOST: sets ENTER to the words before a command there.
enter() {
  local pid
  pid=$(<"$HOSTS_FOLDER/$1.pid")
  ENTER=(taskset -c "$(taskset -cp "$pid" | sed 's/.*: //')" nsenter --target "$pid" --net --uts
    --mount "--wd=$PWD")
}

# on HOST COMMAND...: as one logged in there would run it.
on() {
  enter "$1"
  shift
  "${ENTER[@]}" "$@"
}

# start_on HOST COMMAND...: in the background, in a process group of its own and listening to INT,
# as under a terminal. Its process is STARTED.
start_on() {
  enter "$1"
  shift
  setsid env --default-signal=INT "${ENTER[@]}" "$@" 3>&- &
  # shellcheck disable=SC2034  # for the tests
  STARTED=$!
}

# unplug HOST, plug HOST: its cable.
unplug() { ip link set "port${1#host}" down; }
plug() { ip link set "port${1#host}" up; }

# limit_link HOST RATE: limits the traffic to the host.
limit_link() { tc qdisc replace dev "port${1#host}" root tbf rate "$2" burst 128k latency 50ms; }
