# shellcheck shell=bash
# Finds the parts of a build for GPUs: the cards here and their lines of the table, LibTorch with
# CUDA, nvcc, NCCL. To be sourced by lib.sh.
# shellcheck disable=SC2154  # root: lib.sh's

# The version that launch/setup.sh --cuda fetches from PyPI without a LibTorch with CUDA. It has
# code for compute capabilities 7.5 to 12.0.
wheel_torch=2.11.0
wheel_cuda=13.0
oldest_torch=2.11

# at_least A B: of two versions, A is not the older.
at_least() { sort -CV <<<"$2"$'\n'"$1"; }

# in_range VERSION RANGE: by the first two numbers. A range of the table: 2.11-2.14, or 2.11-
# (without an end), or 12.6 (only that one).
in_range() {
  local version to=${2#*-}
  version=$(cut -d. -f1,2 <<<"$1")
  at_least "$version" "${2%%-*}" && { [[ -z $to ]] || at_least "$to" "$version"; }
}

# range_words RANGE
range_words() {
  if [[ $1 == *- ]]; then echo "${1%-} or newer"; else echo "$1"; fi
}

instance_table=$root/launch/instances.tsv

# instance_rows KIND: the table's rows of this kind: type (of instances), card or ami.
instance_rows() {
  awk -v kind="$1" 'NF && !/^#/ && ($1 ~ /^(card|ami)$/ ? $1 : "type") == kind' "$instance_table"
}

# known_cards: "GPU CAPABILITY CUDA LIBTORCH" of each card and of each type with GPUs.
known_cards() {
  instance_rows card | awk '{ print $2, $3, $4, $5 }'
  instance_rows type | awk '$3 != "-" { print $3, $5, $9, $10 }'
}

# card_row CAPABILITY NAME: "CAPABILITY CUDA LIBTORCH" of the table. Prints nothing for a card that
# it does not cover. An unknown capability is "-", and the name decides. Code for 8.6 also runs on
# 8.7, so a card without a line uses that of the nearest older card of its generation.
card_row() {
  known_cards | sort -sk2,2n | awk -v capability="$1" -v name="$2" '
    BEGIN {
      gsub(/-/, " ", name)
      n = split(name, list, " ")
      for (i = 1; i <= n; i++) words[list[i]]
    }
    capability == "-" ? ($1 in words) : (int($2) == int(capability) && $2 <= capability) {
      print $2, $3, $4
    }' | tail -n 1
}

# gpu_cards: one line per card of this machine, "CAPABILITY NAME".
gpu_cards() {
  local lines line name capability
  # nvidia-smi fails if it is too old for compute_cap. Its message is on stdout, too.
  lines=$(nvidia-smi --query-gpu=name,compute_cap --format=csv,noheader 2>/dev/null) ||
    lines=$(sed -n 's/^Model:[[:space:]]*\(.*\)/\1, unknown/p' \
      "${MNIST_DIST_PROC:-/proc}"/driver/nvidia/gpus/*/information 2>/dev/null) || true
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    name=${line%, *} capability=${line##*, }
    [[ $capability =~ ^[0-9]+\.[0-9]+$ ]] || capability=$(card_row - "$name" | cut -d' ' -f1)
    echo "${capability:--} $name"
  done <<<"$lines"
}

# torch_folder: the folder into which launch/setup.sh --cuda puts LibTorch, in the wheel's form:
# torch/, and nvidia/ with the libraries that it needs.
torch_folder() {
  echo "${MNIST_DIST_TORCH_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/mnist-dist/torch-$wheel_torch}"
}

# torch_versions FOLDER: "2.11.0 13.0", LibTorch's version and the CUDA it is built for, from a
# PyTorch or a LibTorch archive.
torch_versions() {
  if [[ -r $1/version.py ]]; then
    awk -F"'" '
      /^__version__/ { sub(/\+.*/, "", $2); version = $2 }
      /^cuda/ { cuda = $2 }
      END { print version, cuda }' "$1/version.py"
  elif [[ -r $1/build-version ]]; then
    sed -n 's/^\([0-9.]*\)+cu\([0-9]*\)\([0-9]\)$/\1 \2.\3/p' "$1/build-version"
  fi
}

is_cuda_torch() {
  local version
  [[ -e $1/lib/libtorch_cuda.so && -e $1/share/cmake/Torch/TorchConfig.cmake ]] || return 1
  read -r version _ <<<"$(torch_versions "$1")"
  [[ -n $version ]] && at_least "$version" "$oldest_torch"
}

# The folders that Torch_DIR and CMAKE_PREFIX_PATH name, without the share/cmake that
# torch.utils.cmake_prefix_path ends with.
named_prefixes() {
  local entries entry
  [[ -z ${Torch_DIR:-} ]] || echo "${Torch_DIR%/share/cmake/Torch*}"
  IFS=':;' read -ra entries <<<"${CMAKE_PREFIX_PATH:-}"
  for entry in ${entries[@]+"${entries[@]}"}; do echo "${entry%/share/cmake*}"; done
}

# named_torch: the first of them that has a LibTorch. Prints nothing without one.
named_torch() {
  local folder
  while IFS= read -r folder; do
    if [[ -e $folder/share/cmake/Torch/TorchConfig.cmake ]]; then echo "$folder" && return; fi
  done < <(named_prefixes)
}

# The folders that may have a LibTorch. PyTorch's is found without an import, which takes seconds.
torch_candidates() {
  named_prefixes
  python3 -c 'import importlib.util as util
spec = util.find_spec("torch")
spec and print(spec.submodule_search_locations[0])' 2>/dev/null || true
  echo "$(torch_folder)/torch"
}

# cuda_torch: the first LibTorch with CUDA. Prints nothing without one. CMAKE_PREFIX_PATH gets its
# folder, not the share/cmake below it, so that its CMake code finds its own libraries before those
# of a LibTorch of the system.
cuda_torch() {
  local folder
  while IFS= read -r folder; do
    if is_cuda_torch "$folder"; then echo "$folder" && return; fi
  done < <(torch_candidates)
}

# nvcc_version NVCC: 13.0
nvcc_version() { "$1" --version 2>/dev/null | sed -n 's/.* release \([0-9.]*\),.*/\1/p'; }

# cuda_compiler CUDA: the first nvcc of the same generation (13.x). Empty means the wheel's CUDA.
cuda_compiler() {
  local wanted=${1:-$wheel_cuda} nvcc folder=${MNIST_DIST_CUDA_FOLDER:-/usr/local/cuda}
  # /usr/local/cuda is a link. The folders beside it have a version in their names.
  for nvcc in "${CUDACXX:-}" "$(type -P nvcc)" "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" \
    "$folder/bin/nvcc" "$folder-${wanted%%.*}"*/bin/nvcc; do
    if [[ -x $nvcc && $(nvcc_version "$nvcc") == "${wanted%%.*}".* ]]; then
      echo "$nvcc" && return
    fi
  done
}

# toolkit_of NVCC: /usr/local/cuda-13.0
toolkit_of() { dirname "$(dirname "$(readlink -f "$1")")"; }

# cuda_nccl TORCH-FOLDER NVCC: the folder above include/nccl.h and libnccl. The one of LibTorch
# itself comes first.
cuda_nccl() {
  local folder library
  for folder in "$(dirname "$1")/nvidia/nccl" "$(toolkit_of "$2")" \
    "${MNIST_DIST_SYSTEM_PREFIX:-/usr}"; do
    [[ -e $folder/include/nccl.h ]] || continue
    for library in "$folder"/lib64/libnccl.so* "$folder"/lib/libnccl.so* \
      "$folder"/lib/*-linux-gnu/libnccl.so*; do
      if [[ -e $library ]]; then echo "$folder" && return; fi
    done
  done
}

# cuda_options: options for CMake, one per line.
cuda_options() {
  local torch cuda nvcc
  torch=$(cuda_torch)
  [[ -n $torch ]] ||
    die 4 "there is no LibTorch with CUDA, $oldest_torch or newer" \
      "run launch/setup.sh --cuda"
  read -r _ cuda <<<"$(torch_versions "$torch")"
  nvcc=$(cuda_compiler "$cuda")
  [[ -n $nvcc ]] ||
    die 4 "there is no nvcc of CUDA ${cuda%%.*}" "run launch/setup.sh --cuda for the package"
  # An older LibTorch and its nvcc support these. Otherwise CMake's own list is used.
  at_least "$cuda" 12.8 || echo "-DMNIST_DIST_CUDA_ARCHITECTURES=70;75;80;86;89;90"
  printf '%s\n' -DMNIST_DIST_CUDA=ON "-DCMAKE_PREFIX_PATH=$torch;$(cuda_nccl "$torch" "$nvcc")" \
    "-DCMAKE_CUDA_COMPILER=$nvcc"
}
