# shellcheck shell=bash
# A Slurm cluster of two nodes on this machine, to be made inside private.sh. All files are in one
# folder. node1 is the machine with the controller, node2 has its own network and host name.

# start_slurm FOLDER
start_slurm() {
  local folder=$1 i
  export SLURM_FOLDER=$folder SLURM_CONF=$folder/slurm.conf
  hostname node1
  # Slurm listens on nothing where loopback is the only network.
  ip link add cluster type bridge
  ip address add 10.78.0.1/24 dev cluster
  ip link set cluster up
  printf '%s\n' '127.0.0.1 localhost' '10.78.0.1 node1' '10.78.0.2 node2' >"$folder/hosts"
  mount --bind "$folder/hosts" /etc/hosts
  mkdir -p /run/munge "$folder"/{state,node1,node2}
  (umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
  # Each node has four CPUs, whatever the machine has. A requeued job starts again when its old
  # credential has expired: after 5 s here, by default after 120 s.
  # srun waits for a lost node for KillWait. That must end before Slurm itself notices the loss.
  # A job in partition "urgent" preempts one in "spare", which has 20 s to end.
  cat >"$SLURM_CONF" <<CONF
ClusterName=two
SlurmctldHost=node1
SlurmUser=root
AuthInfo=cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
TmpFS=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=100000
ReturnToService=2
SlurmdTimeout=30
KillWait=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=node[1-2] CPUs=4 Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=1000
PartitionName=all Nodes=node[1-2] Default=YES MaxTime=INFINITE PriorityTier=5 PreemptMode=OFF
PartitionName=spare Nodes=node[1-2] MaxTime=INFINITE PriorityTier=1 GraceTime=20
PartitionName=cancelled Nodes=node[1-2] MaxTime=INFINITE PriorityTier=1 GraceTime=20 \
  PreemptMode=CANCEL
PartitionName=urgent Nodes=node[1-2] MaxTime=INFINITE PriorityTier=9 PreemptMode=OFF
CONF
  munged --force --key-file="$folder/munge.key" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" 3>&-
  slurmctld 3>&-
  slurmd 3>&-
  start_second_node
  for ((i = 0; i < 150; i++)); do
    ! nodes_are idle || return 0
    sleep 0.2
  done
  tail -n 20 "$folder"/*.log
  return 1
}

# start_second_node: its namespaces, a cable to the switch, and its slurmd.
start_second_node() {
  local pid
  unshare --net --uts --mount sleep infinity </dev/null >/dev/null 2>&1 3>&- &
  pid=$!
  echo $pid >"$SLURM_FOLDER/namespaces.pid"
  until [[ $(readlink "/proc/$pid/ns/net") != "$(readlink /proc/self/ns/net)" && \
    $(<"/proc/$pid/comm") == sleep ]]; do sleep 0.02; done
  ip link add port2 type veth peer name cable netns "$pid"
  ip link set port2 master cluster up
  on_second_node bash -c 'hostname node2 && ip link set lo up && ip link set cable up &&
    ip address add 10.78.0.2/24 dev cable && exec slurmd' 3>&-
}

on_second_node() { nsenter --target "$(<"$SLURM_FOLDER/namespaces.pid")" --net --uts --mount "$@"; }

# nodes_are STATE: true when all nodes are. Slurm's programs fail while the controller starts.
nodes_are() { [[ $(sinfo -h -N -p all -o %T 2>/dev/null | sort -u) == "$1" ]]; }

# unplug_second_node, plug_second_node: its cable.
unplug_second_node() { ip link set port2 down; }
plug_second_node() {
  ip link set port2 up
  # It registers again at once, not at the controller's next ping.
  kill -HUP "$(<"$SLURM_FOLDER/node2.pid")"
}

# The rest of it ends with private.sh.
stop_slurm() {
  local folder=$1 name pid i
  for name in node1 node2 slurmctld munged namespaces; do
    pid=$(cat "$folder/$name.pid" 2>/dev/null) || continue
    kill "$pid"
    # They write their state until the end, into a folder that is about to be removed.
    for ((i = 0; i < 50; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  done
}
