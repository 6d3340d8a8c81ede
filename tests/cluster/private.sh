#!/usr/bin/env bash
# private.sh PROGRAM... -- COMMAND...: runs COMMAND as root in namespaces of its own: network,
# processes, mounts, host name. Everything that it starts there (sshd, munged, slurmctld), mounts or
# configures ends with it, also when it is killed: the kernel ends all processes of a process
# namespace with its first one. Without the rights for that, or one of the PROGRAMs: one line, and
# exit code 77, which CTest takes for "skipped".
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
while [[ $1 != -- ]]; do
  if ! command -v "$1" >/dev/null; then
    echo "SKIPPED: there is no $1 here; launch/setup.sh --tests installs it"
    exit 77
  fi
  shift
done
shift
if ! unshare --mount --net --pid --uts --fork true 2>/dev/null; then
  echo "SKIPPED: needs root, and a kernel that lets it make network, mount and process namespaces"
  exit 77
fi
# shellcheck disable=SC2016  # for the inner shell
exec unshare --mount --net --pid --uts --fork --kill-child --mount-proc bash -c '
  mount -t tmpfs tmpfs /run # sockets and process ids of services of ours, not of the machine
  ip link set lo up
  exec "$@"' private "$@"
