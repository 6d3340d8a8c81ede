# shellcheck shell=bash
# A Slurm cluster of one node on this machine, to be made inside private.sh: munge, slurmctld and slurmd with all their files in one folder.

# start_slurm FOLDER
start_slurm() {
  local folder=$1
  export SLURM_CONF=$folder/slurm.conf
  hostname node1
  # Slurm listens on nothing where loopback is the only network.
  ip link add cluster type bridge
  ip address add 10.78.0.1/24 dev cluster
  ip link set cluster up
  printf '127.0.0.1 localhost\n10.78.0.1 node1\n' >"$folder/hosts"
  mount --bind "$folder/hosts" /etc/hosts
  mkdir -p /run/munge "$folder/state" "$folder/spool"
  (umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
  # Four CPUs, whatever the machine has. A job that is requeued may start again once its old credential has expired: 5 s, not two minutes.
  cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=node1
SlurmUser=root
AuthInfo=cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=100000
ReturnToService=2
NodeName=node1 CPUs=4 Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=1000
PartitionName=all Nodes=node1 Default=YES MaxTime=INFINITE
CONF
  munged --force --key-file="$folder/munge.key" --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" 3>&-
  slurmctld 3>&-
  slurmd 3>&-
  # Slurm's tools say so while the controller is still starting.
  local i
  for ((i = 0; i < 150; i++)); do
    [[ $(sinfo -h -o %T 2>/dev/null) != idle ]] || return 0
    sleep 0.2
  done
  tail -n 20 "$folder"/*.log
  return 1
}

# What is left of it ends with private.sh.
stop_slurm() {
  local folder=$1 name pid i
  for name in slurmd slurmctld munged; do
    pid=$(<"$folder/$name.pid")
    kill "$pid"
    # They write their state until the end, into a folder that is about to be removed.
    for ((i = 0; i < 50; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  done
}
