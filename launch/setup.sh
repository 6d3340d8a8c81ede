#!/usr/bin/env bash
# Installs with apt what mnist-dist is built from. Does nothing, in well under a second, when all of it is there.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The same names on Debian 12, Debian 13 and Ubuntu 24.04.
packages() {
  cat <<'TABLE'
build-essential         C++20 compiler
cmake                   build system, 3.25 or newer
ninja-build             runs the build
ccache                  makes building again fast
openmpi-bin             mpirun, which starts the ranks
libopenmpi-dev          Open MPI, through which ranks talk
libtorch-dev            LibTorch, the reference engine
libopenblas0-pthread    fast BLAS under LibTorch (the plain one is 40 times slower)
libhdf5-dev             HDF5, the format of data files and checkpoints
hdf5-tools              h5dump and h5ls, to look into those
libtomlplusplus-dev     reads recipes
libcli11-dev            command line
libfmt-dev              text formatting
librandom123-dev        counter-based random numbers
libhwy-dev              Highway: SIMD chosen at run time
libboost-math-dev       statistics: binomial bounds, Student t
nlohmann-json3-dev      writes summary.json
libcurl4-openssl-dev    downloads MNIST
libssl-dev              SHA-256
zlib1g-dev              reads gzipped MNIST files
libgtest-dev            unit tests
libgmock-dev            unit tests
libbenchmark-dev        micro-benchmarks
bats                    tests of the scripts and of the whole program
procps                  finds the processes that those tests stop and kill
python3                 reads JSON in those tests
shellcheck              checks the launch scripts
openssh-client          ssh and keys for clusters
rsync                   carries code to a cluster and results back
curl                    asks for this machine's address, and AWS whether a node is about to end
TABLE
}

# What only the tests of clusters and of EC2 need (tests/cluster, tests/launch/ec2); they are skipped without.
test_packages() {
  cat <<'TABLE'
iproute2                network namespaces that stand for hosts
openssh-server          answers there
munge                   lets Slurm's parts trust each other
slurmctld               Slurm: the controller
slurmd                  Slurm: a node
slurm-client            Slurm: sbatch, srun, scancel
python3-venv            the AWS CLI and a simulated AWS, for the tests of launch/ec2.sh
TABLE
}

wanted_packages() {
  packages
  ! $tests || test_packages
}

usage() {
  cat <<'HELP'
usage: launch/setup.sh [--check] [--tests] [--cuda]

Installs with apt what is missing to build and run mnist-dist (Debian 12 or newer, Ubuntu 24.04 or newer).
  --check   only report; exit 0 when all is there, 1 when something is missing
  --tests   what the tests of clusters need as well (sshd, Slurm: installed, not started)
  --cuda    what a build for GPUs needs as well: LibTorch with CUDA is found, or fetched from PyPI (1.2 GB), NVIDIA's toolkit
            and NCCL are looked for; exit 4 with what to do when this machine cannot have it (docs/gpu.md)
HELP
}

# Prints the lines of the table whose package is not installed.
missing_packages() {
  local names installed
  names=$(wanted_packages | awk '{ print $1 }')
  # dpkg-query's own complaint about unknown packages is what we ask for, not an error.
  # shellcheck disable=SC2086  # one word a package
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $names 2>/dev/null || true)
  wanted_packages | awk -v installed="$installed" '
    BEGIN {
      n = split(installed, line, "\n")
      for (i = 1; i <= n; i++) if (split(line[i], field, " ") == 2 && field[2] == "installed") there[field[1]]
    }
    !($1 in there)'
}

# True on the systems whose package names are known.
is_supported() {
  case $1 in
    debian) [[ -z $2 ]] || ((${2%%.*} >= 12)) ;; # testing and unstable have no number
    ubuntu) [[ -n $2 ]] && ((${2%%.*} >= 24)) ;;
    *) false ;;
  esac
}

other_system() {
  say "error: no package list for $1"
  say "hint: install these with its own package manager, then run again with MNIST_DIST_SETUP=skip in the environment:"
  wanted_packages | sed 's/^/    /' >&2
  exit 2
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# run_apt COMMAND...: as root, asking nothing, waiting for another apt to finish.
run_apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }

# keep_services_off PACKAGE...: of those just installed: an sshd or a Slurm that nobody asked for must not come up with the next boot.
keep_services_off() {
  local package
  command -v systemctl >/dev/null || return 0
  for package in "$@"; do
    case $package in
      openssh-server) as_root systemctl disable ssh.service ssh.socket ;;
      munge | slurmctld | slurmd) as_root systemctl disable "$package.service" ;;
    esac >/dev/null 2>&1 || true
  done
}

# Until the script ends, packages that are installed do not start their services: Debian's scripts ask this file.
deny_services() {
  [[ ! -e $policy ]] || return 0
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy"
  trap 'as_root rm -f "$policy"; rm -f "${log:-}"' EXIT
}

install_packages() {
  local names=("$@")
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    die 1 "installing packages takes root, and sudo is not here" "as root: apt-get install --no-install-recommends ${names[*]}"
  fi
  log=$(temporary -q)
  trap 'rm -f "$log"' EXIT
  if $tests; then deny_services; fi
  if run_apt update >"$log" 2>&1 && run_apt install --no-install-recommends "${names[@]}" >>"$log" 2>&1; then return; fi
  # Everything apt complains about starts with E: or W:.
  grep -E '^(E|W|Err):?' "$log" | tail -n 5 >&2 || tail -n 5 "$log" >&2
  if grep -qE 'Temporary failure|Could not (resolve|connect)|Cannot initiate the connection|Connection (failed|timed out)|Network is unreachable' "$log"; then
    die 1 "the package servers cannot be reached" "check the network, or the proxy in apt's configuration, and run this again"
  elif grep -q 'Unable to locate package\|has no installation candidate' "$log"; then
    die 1 "some packages are in none of the sources that apt is configured with" "on Ubuntu enable universe: sudo add-apt-repository universe"
  fi
  die 1 "apt could not install what is missing" "repair apt as it says above, then run this again"
}

# LibTorch takes whichever BLAS the system's alternatives point to.
check_blas() {
  local blas
  blas=$(update-alternatives --get-selections 2>/dev/null | awk '$1 ~ /^libblas\.so\.3/ { print $1, $3 }')
  if [[ $blas == */blas/libblas.so.3 ]]; then
    say "warning: LibTorch would use the reference BLAS, 40 times slower than OpenBLAS"
    say "hint: sudo update-alternatives --auto ${blas%% *}"
  fi
}

check_cmake() {
  local version
  version=$(cmake --version | sed -n '1s/.* version //p')
  printf '%s\n' 3.25 "$version" | sort -CV ||
    die 1 "$(command -v cmake) is version $version; 3.25 or newer is needed" "put the system's /usr/bin first in PATH, or install a newer cmake"
}

check_only=false tests=false cuda=false
while (($#)); do
  case $1 in
    --check) check_only=true ;;
    --tests) tests=true ;;
    --cuda) cuda=true ;;
    -h | --help) usage; exit ;;
    *) die 2 "unknown argument $1" "launch/setup.sh [--check] [--tests] [--cuda]" ;;
  esac
  shift
done

# shellcheck source=cuda_setup.sh
! $cuda || source "$root/launch/cuda_setup.sh"
policy=${MNIST_DIST_POLICY_RC:-/usr/sbin/policy-rc.d}
os_release=${MNIST_DIST_OS_RELEASE:-/etc/os-release}
# shellcheck source=/dev/null
system=$(. "$os_release" 2>/dev/null && echo "${ID:-}:${VERSION_ID:-}:${PRETTY_NAME:-}") || system=::
IFS=: read -r id version name <<<"$system"
is_supported "$id" "$version" || other_system "${name:-this system}"

mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
  if $check_only; then say "missing:"; else say "installing with apt (some minutes, about 2 GB when all is new):"; fi
  printf '  %s\n' "${missing[@]}" >&2
  if $check_only; then
    say "launch/setup.sh installs them"
    ! $cuda || check_cuda || true
    exit 1
  fi
  install_packages "${missing[@]%% *}"
  if $tests; then keep_services_off "${missing[@]%% *}"; fi
  say "installed"
elif $check_only; then
  say "all $(wanted_packages | wc -l) packages are there"
fi
check_cmake
check_blas
if $cuda; then
  if $check_only; then check_cuda; else set_up_cuda; fi
fi
