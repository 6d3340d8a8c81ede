# shellcheck shell=bash
# The checks of preflight.sh on a host: sent to its bash after "program" and "folder". Prints lines
# of NAME=VALUE. Needs only the programs of any Linux host.

# One decimal point and one language, in any locale of the host.
export LC_ALL=C

first_line() { sed -n '1s/[[:space:]]*$//p' <<<"$1"; }

echo "name=$(hostname)"
echo "clock=$(date +%s.%N)"
if cd "${folder:?}" 2>/dev/null; then
  echo "disk=$(df -Pk . | awk 'NR == 2 { print $4 }')"
else
  echo "no_folder=1"
fi
echo "temporary=$(df -Pk "${TMPDIR:-/tmp}" | awk 'NR == 2 { print $4 }')"
# CPUs that are not available: mpirun must not bind there.
if (($(nproc) < $(nproc --all))); then echo "masked=1"; else echo "masked=0"; fi

if ! command -v mpirun >/dev/null; then
  echo "no_mpi=mpirun"
elif ! command -v orted >/dev/null && ! command -v prted >/dev/null; then
  echo "no_mpi=orted"
else
  text=$(mpirun --version 2>&1) || true
  echo "mpi=$(sed -n '1s/.*) //p' <<<"$text")"
fi

if [[ ! -x ${program:?} ]]; then
  echo "no_program=1"
elif text=$("$program" --version 2>&1 </dev/null); then
  echo "version=$(first_line "$text")"
  echo "hash=$(sha256sum <"$program" | cut -c1-12)"
  echo "cores=$("$program" doctor --cores </dev/null)"
else
  echo "broken=$(first_line "$text")"
fi

if command -v nvidia-smi >/dev/null; then
  if text=$(nvidia-smi -L 2>&1); then
    echo "gpus=$(grep -c '^GPU ' <<<"$text")"
  else
    echo "gpus=0"
    echo "gpu_trouble=$(first_line "$text")"
  fi
else
  echo "gpus=0"
fi
echo "complete=1"
