# shellcheck shell=bash
# The functions that the scripts in launch/ and tests/run.sh share. To be sourced. Does nothing by
# itself.

# One language and one decimal point for awk, printf, sort and ssh's messages, in any locale of the
# user.
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts
build=${MNIST_DIST_BUILD_DIR:-$root/build}
program=$build/mnist-dist
installed=false
if [[ ! -f $root/CMakeLists.txt && -x $root/../../bin/mnist-dist ]]; then
  # This is share/mnist-dist/launch: there is nothing to build.
  installed=true
  # shellcheck disable=SC2034
  program=$(cd "$root/../../bin" && pwd)/mnist-dist
else
  # shellcheck source=cuda.sh disable=SC1091
  source "$root/launch/cuda.sh"
fi

# use_cuda: from now on, the build for GPUs is made and run.
# shellcheck disable=SC2034
use_cuda() {
  export MNIST_DIST_CUDA=on
  $installed || { build=${MNIST_DIST_BUILD_DIR:-$root/build-cuda} && program=$build/mnist-dist; }
}
[[ ${MNIST_DIST_CUDA:-} != on ]] || use_cuda

# say WORDS: prints them on stderr. Control characters of arguments and hosts do not reach the
# terminal. A closed terminal does not end the script.
say() {
  local text=${*//[$'\001'-$'\010'$'\013'-$'\037'$'\177']/?}
  ((${#text} <= 4000)) || text="${text:0:3000} ... ${text: -900}"
  printf '%s\n' "$text" >&2 2>/dev/null || true
}

# die CODE PROBLEM HINT: the same two lines, and the same codes, as the program's own errors.
die() {
  say "error: $2"
  say "hint: $3"
  exit "$1"
}

# wrong_value OPTION VALUE EXPECTED EXAMPLE
wrong_value() { die 2 "$1: wrong value (got '$2', expected $3)" "use for example $1 $4"; }

# count N WORD: "1 core", "2 cores".
count() { echo "$1 $2$( (($1 == 1)) || echo s)"; }

# temporary -q: a new file, -d: a new folder, by mktemp.
temporary() {
  mktemp "$1" 2>/dev/null ||
    die 3 "cannot write temporary files to ${TMPDIR:-/tmp}" \
      "free space there, or set TMPDIR to a different folder"
}

# quietly COMMAND...: prints the end of its output only if it fails, and returns its code.
quietly() {
  local log code=0
  log=$(temporary -q) || exit
  "$@" >"$log" 2>&1 </dev/null || code=$?
  ((code == 0)) || tail -n 40 "$log" >&2
  rm -f "$log"
  return "$code"
}

setup() {
  $installed || [[ ${MNIST_DIST_SETUP:-} == skip ]] || "$root/launch/setup.sh" "$@"
}

# A compiler that reads LibTorch's headers takes over 1 GB. CPUs and memory limit the number of
# jobs.
build_jobs() {
  local cpus memory_kb
  cpus=$(nproc)
  memory_kb=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  local by_memory=$((memory_kb / 1500000))
  ((by_memory >= 1)) || by_memory=1
  echo $((cpus < by_memory ? cpus : by_memory))
}

# cached NAME: a value of the build folder's CMakeCache.txt. Prints nothing without one.
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt" 2>/dev/null || true; }

# True when the build folder was configured without LibTorch and there is one now.
torch_appeared() {
  [[ $(cached Torch_DIR) == *-NOTFOUND ]] || return 1
  [[ -n $(named_torch) ]] ||
    compgen -G "${MNIST_DIST_SYSTEM_PREFIX:-/usr}/lib/*/cmake/Torch/TorchConfig.cmake" >/dev/null
}

# build_targets TARGET...: configures the build folder if necessary, then builds.
# Two scripts that start together take turns: ninja does not lock its folder.
build_targets() (
  ! $installed || return 0
  { mkdir -p "$build" && touch "$build/.lock"; } 2>/dev/null ||
    die 3 "cannot write to $build" "set MNIST_DIST_BUILD_DIR to a different folder"
  exec 9>"$build/.lock"
  flock 9 || say "note: no locks in $build: do not start two builds there at once"
  local configure=false generator=(-G Ninja) home
  home=$(cached CMAKE_HOME_DIRECTORY)
  [[ -z $home ]] || generator=()
  if [[ -n $home && ! ($home -ef $root && $(cached CMAKE_CACHEFILE_DIR) -ef $build) ]]; then
    # The tree was copied or moved. This build folder would build the other one.
    say "note: $build was configured for the source in $home, configuring it again for $root"
    configure=true generator=(--fresh -G Ninja)
  elif [[ ! -f $build/build.ninja && ! -f $build/Makefile ]]; then
    say "building mnist-dist in $build (some minutes the first time)"
    configure=true
  elif torch_appeared; then
    configure=true
  fi
  if $configure; then
    local options=() text
    if [[ ${MNIST_DIST_CUDA:-} == on ]]; then
      text=$(cuda_options) || exit
      mapfile -t options <<<"$text"
    fi
    [[ -z ${CI:-} ]] || options+=(-DMNIST_DIST_WERROR=ON)
    quietly cmake -S "$root" -B "$build" "${generator[@]}" "${options[@]}" 9>&- ||
      die 1 "cmake could not configure $build" "read the messages above, or delete $build"
  fi
  local make=(cmake --build "$build" -j "$(build_jobs)" --target "$@")
  if [[ -t 2 ]]; then
    "${make[@]}" >&2 9>&-
  else
    quietly "${make[@]}" 9>&-
  fi || die 1 "the build failed" "read the messages above"
)

# loopback_is_down: true in a network namespace whose loopback interface is down, as after
# `unshare -n`. mpirun cannot start there.
loopback_is_down() {
  local routes=${MNIST_DIST_ROUTES:-/proc/net/fib_trie}
  [[ -r $routes ]] && ! grep -q '127\.0\.0\.1' "$routes"
}

# version_of_open_mpi MPIRUN: 4 or 5. Prints nothing if it is of another MPI, or missing.
version_of_open_mpi() {
  local version
  version=$("$1" --version 2>&1) || true
  [[ ! $version =~ \((Open\ MPI|OpenRTE)\)\ ([0-9]+)\. ]] || echo "${BASH_REMATCH[2]}"
}

# find_mpirun: sets mpirun to the first mpirun of Open MPI, which the program is linked with, and
# major to 4 or 5, which have different options. Another MPI's mpirun may be before it in PATH
# (conda, a module). Gives root Open MPI's permission, without which it does not run as the user of
# most containers.
find_mpirun() {
  local candidates
  if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
  mapfile -t candidates < <(type -aP mpirun mpirun.openmpi; cached MPIEXEC_EXECUTABLE)
  for mpirun in mpirun ${candidates[@]+"${candidates[@]}"}; do
    major=$(version_of_open_mpi "$mpirun")
    [[ -z $major ]] || return 0
  done
  die 4 "there is no mpirun of Open MPI in PATH (got $(type -P mpirun || echo none))" \
    "install openmpi-bin, or put its mpirun into PATH"
}

# mpirun_options RANKS CORES MAJOR: one option per line, for ranks of this machine.
mpirun_options() {
  local ranks=$1 cores=$2 major=$3
  # They need no network card. With some cards, Open MPI 5 prints that a host cannot reach itself.
  printf '%s\n' --mca btl_tcp_if_include lo
  # -q: no banner after an exit code other than 0. Open MPI 5 has no such option.
  if ((major < 5)); then printf '%s\n' -q; fi
  if ((ranks > cores)); then
    # Waiting ranks must leave the core to the others.
    printf '%s\n' --oversubscribe --bind-to none --mca mpi_yield_when_idle 1
  elif (($(nproc) < $(nproc --all))) || [[ ${MNIST_DIST_CUDA:-} == on ]]; then
    # mpirun binds from the machine's first core, with any mask. Unbound, the ranks inherit the
    # mask. A rank with a GPU has several threads, of LibTorch and NCCL.
    printf '%s\n' --bind-to none
  else
    printf '%s\n' --map-by core --bind-to core
  fi
}
