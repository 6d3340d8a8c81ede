#!/usr/bin/env bash
# Installs the packages that mnist-dist is built from, with apt. Does nothing, in well under a
# second, if all are installed.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Required. The same names on Debian 12, Debian 13 and Ubuntu 24.04 (docs/systems.md).
packages() {
  cat <<'TABLE'
build-essential         C++20 compiler
cmake                   build system, 3.25 or newer
ninja-build             runs the build
ccache                  makes building again fast
openmpi-bin             mpirun, which starts the ranks
libopenmpi-dev          Open MPI: messages between ranks
libhdf5-dev             HDF5, the format of data files and checkpoints
hdf5-tools              h5dump and h5ls, which print them
libtomlplusplus-dev     reads recipes
libcli11-dev            command line
libfmt-dev              text formatting
librandom123-dev        counter-based random numbers
libhwy-dev              Highway: SIMD chosen at run time
libboost-math-dev       statistics: binomial bounds, Student t
nlohmann-json3-dev      writes summary.json, exported metadata
libssl-dev              SHA-256
zlib1g-dev              reads gzipped MNIST files, checksums
libpng-dev              reads and writes PNG images
libturbojpeg0-dev       reads JPEG images
libexif-dev             reads the orientation of photographs
libnetpbm-dev           reads PGM images
libprotobuf-dev         Protocol Buffers, the format of ONNX and event files
protobuf-compiler       makes the code that writes them
libgtest-dev            unit tests
libgmock-dev            unit tests
libbenchmark-dev        micro-benchmarks
file                    finds the dependencies of the Debian package
help2man                makes the manual pages
man-db                  renders them, in a test of the package
bats                    tests of the scripts and of the whole program
procps                  finds the processes that those tests stop and kill
python3                 reads JSON in those tests
shellcheck              checks the launch scripts
openssh-client          ssh and keys for clusters
rsync                   carries code to a cluster and results back
curl                    fetches this machine's address, and the notice of an EC2 node's end
TABLE
}

# Installed if apt has them. The program builds, trains and passes its tests without them.
optional_packages() {
  # Ubuntu only has a snap.
  ! $tests || cat <<'TABLE'
chromium                opens the pages that runs and sweeps write, in a test
dataset-fashion-mnist   Fashion-MNIST, which a test prepares and trains on
TABLE
  # A LibTorch that CMAKE_PREFIX_PATH or Torch_DIR names is used instead, and brings its own BLAS.
  [[ -z $(named_torch) ]] || return 0
  cat <<'TABLE'
libtorch-dev            LibTorch, the reference engine
libopenblas0-pthread    fast BLAS under LibTorch (the plain one is 40 times slower)
TABLE
  # The same LibTorch from Python.
  ! $tests || echo "python3-torch           PyTorch, which the tests of export read files with"
}

# Packages only for the tests of clusters and of EC2 (tests/cluster, tests/launch/ec2) and the build
# with sanitizers. Without these packages they are skipped.
test_packages() {
  cat <<'TABLE'
iproute2                network namespaces that stand for hosts
openssh-server          answers there
munge                   authentication between Slurm's parts
slurmctld               Slurm: the controller
slurmd                  Slurm: a node
slurm-client            Slurm: sbatch, srun, scancel
faketime                wrong clocks, for tests/chaos.sh
clang                   sanitizers and libFuzzer, for tests/run.sh --sanitize
libclang-rt-dev         libraries of both
python3-venv            private Python packages, for the tests of launch/ec2.sh and of export
fonts-dejavu-core       digits for the tests of predict
fonts-liberation        more of them
clang-format            format of the sources
codespell               spelling
TABLE
}

wanted_packages() {
  packages
  ! $tests || test_packages
}

usage() {
  cat <<'HELP'
usage: launch/setup.sh [--check] [--tests] [--cuda]

Installs the missing packages to build and run mnist-dist, with apt (Debian 12 or newer, Ubuntu
24.04 or newer). LibTorch is optional. If apt does not have it, a note has the way to add it.
  --check   only report: exit 0 if nothing is missing, otherwise 1
  --tests   also the packages for tests of clusters (sshd, Slurm: installed, not started) and for
            the build with sanitizers
  --cuda    also the parts of a build for GPUs: LibTorch with CUDA is found, or fetched from PyPI
            (4.5 GB), NVIDIA's toolkit and NCCL are searched. Exit 4 with a hint if this machine
            cannot have it (docs/gpu.md)
HELP
}

# missing_of TABLE: its lines whose package is not installed.
missing_of() {
  local names installed
  names=$(awk '{ print $1 }' <<<"$1")
  # dpkg-query's message about unknown packages is expected, not an error.
  # shellcheck disable=SC2086  # one word per package
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $names 2>/dev/null || true)
  awk -v installed="$installed" '
    BEGIN {
      n = split(installed, line, "\n")
      for (i = 1; i <= n; i++)
        if (split(line[i], field, " ") == 2 && field[2] == "installed") there[field[1]]
    }
    NF && !($1 in there)' <<<"$1"
}

# has_candidate PACKAGE: the sources of apt offer it, or apt has no package lists yet.
has_candidate() {
  [[ $(apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[^\(]* ]] ||
    [[ $(apt-cache policy 2>/dev/null) != *" Packages"* ]]
}

# find_optional: sets optional to the lines of optional_packages that are missing and that apt can
# install, and torch_absent to true if there is no LibTorch and none can be installed.
find_optional() {
  local line
  optional=() torch_absent=false
  while IFS= read -r line; do
    if has_candidate "${line%% *}"; then
      optional+=("$line")
    elif [[ $line == libtorch-dev* ]]; then
      torch_absent=true
      break # the other one is only for LibTorch
    fi
  done < <(missing_of "$(optional_packages)")
}

say_no_torch() {
  say "note: LibTorch is not installed, so the reference engine (--engine torch) is not built." \
    "To add it: pip install torch, and CMAKE_PREFIX_PATH (HACKING.md, LibTorch)"
}

# True on the supported systems.
is_supported() {
  case $1 in
    debian) [[ -z $2 ]] || ((${2%%.*} >= 12)) ;; # testing and unstable have no number
    ubuntu) [[ -n $2 ]] && ((${2%%.*} >= 24)) ;;
    *) false ;;
  esac
}

other_system() {
  say "error: no package list for $1"
  say "hint: install these with its own package manager, then run again with \
MNIST_DIST_SETUP=skip in the environment:"
  wanted_packages | sed 's/^/    /' >&2
  optional_packages | sed 's/^/    (optional) /' >&2
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

# run_apt COMMAND...: as root, without questions. Waits for another apt to finish.
run_apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@"
}

# keep_services_off PACKAGE...: of newly installed packages, so that the next boot does not start an
# unexpected sshd or Slurm.
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

# Until the script ends, newly installed packages do not start their services, because Debian's
# scripts run this file.
deny_services() {
  [[ ! -e $policy ]] || return 0
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy"
  trap 'as_root rm -f "$policy"; rm -f "${log:-}"' EXIT
}

# can_be_root: whether as_root works here.
can_be_root() { ((EUID == 0)) || command -v sudo >/dev/null; }

# update_lists: fetches the package lists, once. From then on log is the file with apt's output.
update_lists() {
  [[ -z ${log:-} ]] || return 0
  log=$(temporary -q)
  trap 'rm -f "$log"' EXIT
  run_apt update >"$log" 2>&1
}

# install_packages PACKAGE...: ends the script with an error if one cannot be installed.
install_packages() {
  local names=("$@")
  can_be_root ||
    die 1 "packages cannot be installed without root or sudo" \
      "run as root: apt-get install --no-install-recommends ${names[*]}"
  if update_lists; then
    if $tests; then deny_services; fi
    if run_apt install --no-install-recommends "${names[@]}" >>"$log" 2>&1; then return; fi
  fi
  # apt's errors and warnings start with E: or W:.
  grep -E '^(E|W|Err):?' "$log" | tail -n 5 >&2 || tail -n 5 "$log" >&2
  if grep -qE \
    "Temporary failure|Could not (resolve|connect)|Cannot initiate the connection|\
Connection (failed|timed out)|Network is unreachable" "$log"; then
    die 1 "the package servers cannot be reached" \
      "check the network, or the proxy in apt's configuration, and run this again"
  elif grep -q 'Unable to locate package\|has no installation candidate' "$log"; then
    die_no_candidate
  fi
  die 1 "apt could not install the missing packages" \
    "follow apt's messages above, then run this again"
}

# Ubuntu has several of the packages in universe, which is enabled in its container and cloud
# images. Debian has all of them in main.
die_no_candidate() {
  local what="some packages are in none of apt's sources"
  if [[ $id == ubuntu ]] && ! apt-cache policy 2>/dev/null | grep -q 'c=universe'; then
    die 1 "$what" "enable universe: sudo add-apt-repository universe"
  fi
  die 1 "$what" \
    "add the $id archive to /etc/apt/sources.list.d, or remove the pin that hides them (apt-cache \
policy PACKAGE)"
}

# install_optional PACKAGE...: packages that cannot be installed are left out, with a note.
install_optional() {
  if can_be_root && update_lists && run_apt install --no-install-recommends "$@" >>"$log" 2>&1; then
    say "installed"
  elif [[ $* == *libtorch-dev* ]]; then
    torch_absent=true
  else
    say "note: apt could not install $*"
  fi
}

# LibTorch uses the BLAS that the system's alternatives point to.
check_blas() {
  local blas
  [[ -z $(missing_of "libtorch-dev") ]] || return 0
  blas=$(update-alternatives --get-selections 2>/dev/null |
    awk '$1 ~ /^libblas\.so\.3/ { print $1, $3 }')
  if [[ $blas == */blas/libblas.so.3 ]]; then
    say "warning: LibTorch would use the reference BLAS, 40 times slower than OpenBLAS"
    say "hint: run sudo update-alternatives --auto ${blas%% *}"
  fi
}

check_cmake() {
  local version
  version=$(cmake --version | sed -n '1s/.* version //p')
  printf '%s\n' 3.25 "$version" | sort -CV ||
    die 1 "$(command -v cmake): too old (got $version, expected 3.25 or newer)" \
      "put the system's /usr/bin first in PATH, or install a newer cmake"
}

check_only=false tests=false cuda=false
while (($#)); do
  case $1 in
    --check) check_only=true ;;
    --tests) tests=true ;;
    --cuda) cuda=true ;;
    -h | --help) usage; exit ;;
    *) die 2 "unknown argument $1" "use launch/setup.sh [--check] [--tests] [--cuda]" ;;
  esac
  shift
done

# shellcheck source=cuda_setup.sh
! $cuda || source "$root/launch/cuda_setup.sh"
policy=${MNIST_DIST_POLICY_RC:-/usr/sbin/policy-rc.d}
os_release=${MNIST_DIST_OS_RELEASE:-/etc/os-release}
# shellcheck source=/dev/null
system=$(. "$os_release" 2>/dev/null && echo "${ID:-}:${VERSION_ID:-}:${PRETTY_NAME:-}") ||
  system=::
IFS=: read -r id version name <<<"$system"
is_supported "$id" "$version" || other_system "${name:-this system}"

mapfile -t missing < <(missing_of "$(wanted_packages)")
find_optional
if $check_only; then
  if ((${#missing[@]} + ${#optional[@]})); then
    say "missing:"
    printf '  %s\n' ${missing[@]+"${missing[@]}"} ${optional[@]+"${optional[@]}"} >&2
    say "launch/setup.sh installs them"
    ! $torch_absent || $cuda || say_no_torch
    ! $cuda || check_cuda || true
    exit 1
  fi
  say "all $(wanted_packages | wc -l) packages are installed"
else
  if ((${#missing[@]})); then
    say "installing with apt (some minutes, about 2 GB if all is new):"
    printf '  %s\n' "${missing[@]}" >&2
    install_packages "${missing[@]%% *}"
    if $tests; then keep_services_off "${missing[@]%% *}"; fi
    say "installed"
    find_optional # a bare system had no package lists before
  fi
  if ((${#optional[@]})); then
    say "installing with apt, optional:"
    printf '  %s\n' "${optional[@]}" >&2
    install_optional "${optional[@]%% *}"
  fi
fi
! $torch_absent || $cuda || say_no_torch
check_cmake
check_blas
if $cuda; then
  if $check_only; then check_cuda; else set_up_cuda; fi
fi
