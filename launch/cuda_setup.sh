# shellcheck shell=bash
# launch/setup.sh --cuda: finds LibTorch with CUDA, nvcc and NCCL, or prints a hint. To be sourced
# by setup.sh.
# shellcheck disable=SC2154  # check_only: setup.sh's

# find_cuda: sets torch (empty: to be fetched), its version and cuda, and nvcc. A fault that this
# script cannot repair ends it before a useless download.
find_cuda() {
  version=$wheel_torch cuda=$wheel_cuda
  torch=$(cuda_torch)
  [[ -z $torch ]] || read -r version cuda <<<"$(torch_versions "$torch")"
  check_cards
  nvcc=$(cuda_compiler "$cuda")
  check_nvcc
}

set_up_cuda() {
  local torch version cuda nvcc libraries
  find_cuda
  if [[ -z $torch ]]; then
    install_torch
    return
  fi
  libraries=$(missing_libraries "$torch")
  [[ -n $libraries ]] || return 0
  if [[ $torch == "$(torch_folder)/torch" ]]; then install_torch; else die_incomplete; fi
}

# check_cuda: prints the installed parts. False if set_up_cuda would fetch something.
check_cuda() {
  local torch version cuda nvcc libraries
  find_cuda
  if [[ -z $torch ]]; then
    say "missing: LibTorch with CUDA (launch/setup.sh --cuda fetches $version from PyPI, 4.5 GB)"
    return 1
  fi
  libraries=$(missing_libraries "$torch" | xargs)
  if [[ -n $libraries ]]; then
    [[ $torch == "$(torch_folder)/torch" ]] || die_incomplete
    say "missing: $libraries for LibTorch in $torch (launch/setup.sh --cuda fetches it again)"
    return 1
  fi
  say "LibTorch $version for CUDA $cuda: $torch"
  say "nvcc $(nvcc_version "$nvcc"): $nvcc"
  say "NCCL: $(cuda_nccl "$torch" "$nvcc")"
}

# check_cards: dies if that LibTorch has no code for a card here.
check_cards() {
  local capability name card row its_cuda its_torch what="LibTorch $version of PyPI"
  [[ -z $torch ]] || what="LibTorch $version in $torch"
  while read -r capability name; do
    card="$name (sm_${capability/./})"
    row=$(card_row "$capability" "$name")
    if [[ -z $row ]]; then
      # An unknown card: the build may run.
      [[ $capability != - ]] || continue
      die 4 "$card: no supported LibTorch" \
        "train on the CPU without --cuda, or add a line to launch/instances.tsv"
    fi
    read -r _ its_cuda its_torch <<<"$row"
    if in_range "$cuda" "$its_cuda" && in_range "$version" "$its_torch"; then continue; fi
    die 4 "$card needs LibTorch $(range_words "$its_torch") built for CUDA \
$(range_words "$its_cuda") (got $what, built for CUDA $cuda)" \
      "unpack a LibTorch archive for CUDA ${its_cuda%%-*} (libtorch-shared-with-deps, \
cu$(tr -d . <<<"${its_cuda%%-*}")), set CMAKE_PREFIX_PATH to its folder, and install NVIDIA's \
$(toolkit_package "${its_cuda%%-*}") package"
  done < <(gpu_cards)
}

# toolkit_package 13.0: cuda-toolkit-13-0
toolkit_package() { echo "cuda-toolkit-${1/./-}"; }

check_nvcc() {
  local other
  [[ -z $nvcc ]] || return 0
  other=$(type -P nvcc) || other=
  die 4 "there is no nvcc of CUDA ${cuda%%.*}, for which LibTorch $version${torch:+ in $torch} is \
built${other:+ (got $other of CUDA $(nvcc_version "$other"))}" \
    "install NVIDIA's $(toolkit_package "$cuda") package, from NVIDIA's own package repository, \
or set CUDACXX to an nvcc"
}

# missing_libraries FOLDER: libraries of LibTorch that the loader does not find, one per line, and
# NCCL if the build cannot use it.
missing_libraries() {
  { ldd "$1/lib/libtorch_cuda.so" "$1"/lib/libtorch_cuda_linalg.so 2>/dev/null || true; } |
    awk '/=> not found/ && $1 !~ /^libcuda\.so/ { print $1 }' | sort -u
  [[ -n $(cuda_nccl "$1" "$nvcc") ]] || echo libnccl.so.2
}

# Only a LibTorch that this script installed may be changed.
die_incomplete() {
  die 4 "LibTorch in $torch: missing $(xargs <<<"$libraries")" \
    "install them from the source of that LibTorch (NCCL: NVIDIA's libnccl-dev package), or add \
their folder to LD_LIBRARY_PATH"
}

# install_torch: into a folder beside, renamed when it is complete, so that an incomplete one is
# never used as LibTorch.
install_torch() {
  local folder parent python libraries
  folder=$(torch_folder) parent=$(dirname "$(torch_folder)")
  { mkdir -p "$parent" && touch "$parent/.lock"; } 2>/dev/null ||
    die 3 "cannot write to $parent" "set MNIST_DIST_TORCH_DIR to a different folder"
  exec 8>"$parent/.lock"
  flock 8 || say "note: no locks in $parent: do not start two set-ups there at once"
  # Another set-up may have done it during the wait.
  if is_cuda_torch "$folder/torch" && [[ -z $(missing_libraries "$folder/torch") ]]; then
    return
  fi
  check_disk "$parent"
  find_pip
  # Folders of a killed set-up are incomplete.
  rm -rf "$folder".partial.*
  partial=$folder.partial.$$
  trap 'rm -rf "$partial"' EXIT
  mkdir "$partial"
  say "fetching LibTorch $wheel_torch for CUDA $wheel_cuda from PyPI (4.5 GB) into $folder"
  # With --target, pip needs no virtual environment. Its temporary files are as large: on the same
  # disk.
  TMPDIR=$partial quietly "$python" -m pip install --quiet --no-cache-dir --no-compile \
    --only-binary=:all: --target "$partial" "torch==$wheel_torch" ||
    die 4 "LibTorch with CUDA cannot be fetched from PyPI (see above)" \
      "check the network, or set CMAKE_PREFIX_PATH to a LibTorch with CUDA"
  is_cuda_torch "$partial/torch" ||
    die 4 "PyPI's LibTorch $wheel_torch for $(uname -m) has no CUDA" \
      "set CMAKE_PREFIX_PATH to a LibTorch with CUDA"
  libraries=$(missing_libraries "$partial/torch")
  [[ -z $libraries ]] ||
    die 4 "LibTorch $wheel_torch of PyPI: missing $(xargs <<<"$libraries")" \
      "install NVIDIA's $(toolkit_package "$wheel_cuda") package, which has them"
  rm -rf "$folder"
  mv "$partial" "$folder"
  exec 8>&-
}

check_disk() {
  local free
  free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
  ((free >= 9000000)) ||
    die 3 \
      "LibTorch with CUDA: disk too full in $1 (got $((free / 1000000)) GB, expected 9 GB)" \
      "free space there, or set MNIST_DIST_TORCH_DIR to a folder on a different disk"
}

# find_pip: sets python to one that has pip and a supported version. Installs pip with apt if
# necessary.
find_pip() {
  local candidate system=${MNIST_DIST_SYSTEM_PREFIX:-/usr}/bin/python3
  for candidate in python3 "$system" apt; do
    python=$candidate
    if [[ $candidate == apt ]]; then
      say "installing with apt: python3-pip"
      install_packages python3-pip
      python=$system
    fi
    ! "$python" -c 'import sys, pip; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' \
      2>/dev/null || return 0
  done
  die 4 "no python3 here has pip and is of version 3.10 to 3.14" \
    "set CMAKE_PREFIX_PATH to a LibTorch with CUDA, or put a different python3 first in PATH"
}
