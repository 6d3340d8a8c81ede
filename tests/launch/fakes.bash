# shellcheck shell=bash
# Fake programs for the tests of the launch scripts: they stand first in PATH.

# The tests' own numbers and sorting. Other locales are tested where they matter.
export LC_ALL=C

# shellcheck disable=SC2034  # used by the tests
repository=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# fake NAME: a program of that name with the script on stdin.
fake() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  { echo '#!/bin/bash' && cat; } >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# fake_mpirun: Open MPI's, with the script on stdin for all but --version.
fake_mpirun() {
  fake mpirun < <(echo '[[ $1 != --version ]] || { echo "mpirun (Open MPI) 4.1.4"; exit; }' && cat)
}

# fake_program: the program in the build folder, with the script on stdin. It counts $CORES cores.
fake_program() {
  {
    printf '%s\n' '#!/bin/bash' '[[ $* != "doctor --cores" ]] || { echo "${CORES:?}" && exit; }'
    cat
  } >"$MNIST_DIST_BUILD_DIR/mnist-dist"
  chmod +x "$MNIST_DIST_BUILD_DIR/mnist-dist"
}

# fake_system ID VERSION: the contents of /etc/os-release.
fake_system() {
  export MNIST_DIST_OS_RELEASE=$BATS_TEST_TMPDIR/os-release
  printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="%s %s"\n' "$1" "$2" "$1" \
    "$2" >"$MNIST_DIST_OS_RELEASE"
}

# fake_installed ALL_BUT...: dpkg-query finds every package except these.
fake_installed() {
  fake dpkg-query <<SCRIPT
for name in "\$@"; do
  case " $* " in *" \$name "*) continue ;; esac
  [[ \$name == -* ]] || echo "\$name installed"
done
SCRIPT
}

# fake_gpu_machine: no card, a CUDA 13.0 toolkit with NCCL, and a Python without PyTorch. Nothing of
# the real machine shows.
fake_gpu_machine() {
  local folder path=
  while IFS= read -r -d : folder; do
    [[ -e $folder/nvcc || -e $folder/nvidia-smi ]] || path+=${path:+:}$folder
  done <<<"$PATH:"
  PATH=$path
  unset Torch_DIR CMAKE_PREFIX_PATH CUDACXX CUDA_HOME CUDA_VISIBLE_DEVICES PYTORCH NO_PIP
  export MNIST_DIST_TORCH_DIR=$BATS_TEST_TMPDIR/private/torch-2.11.0 \
    MNIST_DIST_CUDA_FOLDER=$BATS_TEST_TMPDIR/cuda
  export MNIST_DIST_PROC=$BATS_TEST_TMPDIR/proc MNIST_DIST_SYSTEM_PREFIX=$BATS_TEST_TMPDIR/usr
  fake_cards
  fake_nvcc "$MNIST_DIST_CUDA_FOLDER" 13.0
  fake_nccl "$MNIST_DIST_CUDA_FOLDER"
  fake_ldd
  fake_python
}

# fake_cards "NAME, CAPABILITY"...: nvidia-smi's list.
fake_cards() {
  (($#)) || { fake nvidia-smi <<<'exit 9' && return; }
  fake nvidia-smi <<SCRIPT
if [[ \$1 == -L ]]; then
  printf 'GPU %s: some card\n' $(seq "$#" | xargs)
else
  printf '%s\n' $(printf '%q ' "$@")
fi
SCRIPT
}

# fake_nvcc FOLDER VERSION: a toolkit.
fake_nvcc() {
  mkdir -p "$1/bin"
  printf '#!/bin/bash\necho "Cuda compilation tools, release %s, V%s.88"\n' "$2" "$2" >"$1/bin/nvcc"
  chmod +x "$1/bin/nvcc"
}

# fake_nccl FOLDER: NCCL there, to build with.
fake_nccl() {
  mkdir -p "$1"/{include,lib64}
  touch "$1/include/nccl.h" "$1/lib64/libnccl.so"
}

# fake_torch FOLDER VERSION CUDA [archive]: a LibTorch with CUDA, of PyTorch or as an archive.
fake_torch() {
  mkdir -p "$1/lib" "$1/share/cmake/Torch"
  touch "$1/lib/libtorch_cuda.so" "$1/share/cmake/Torch/TorchConfig.cmake"
  if [[ ${4:-} == archive ]]; then
    echo "$2+cu${3/./}" >"$1/build-version"
  else
    printf "__version__ = '%s+cu%s'\ndebug = False\ncuda: Optional[str] = '%s'\nhip: \
Optional[str] = None\n" "$2" "${3/./}" "$3" >"$1/version.py"
  fi
}

# fake_ldd: LibTorch needs what the file "needed" lists. It is found in the toolkit and beside
# LibTorch.
fake_ldd() {
  fake ldd <<'SCRIPT'
for library in $(cat "$BATS_TEST_TMPDIR/needed" 2>/dev/null); do
  found=$(find "$MNIST_DIST_CUDA_FOLDER/lib64" "$(dirname "$1")/../../nvidia" -name "$library" \
    2>/dev/null | head -n 1)
  printf '\t%s => %s\n' "$library" "${found:-not found}"
done
SCRIPT
}

# fake_pip SCRIPT: runs first when pip installs into $target.
fake_pip() { fake_python "$1"; }

# fake_python [SCRIPT]: it has a PyTorch where PYTORCH names one, has pip unless NO_PIP is set, and
# installs PyPI's torch with the libraries of its requirements.
fake_python() {
  { cat <<SCRIPT; cat <<'SCRIPT'; } | fake python3
before_install() { $( [[ -n ${1:-} ]] && echo "$1" || echo true); }
SCRIPT
case "$*" in
  *find_spec*) echo "${PYTORCH:-}" ;;
  *"import sys, pip"*) [[ -z ${NO_PIP:-} ]] ;;
  "-m pip install "*)
    echo "$*" >>"$BATS_TEST_TMPDIR/pip.log"
    while [[ $1 != --target ]]; do shift; done
    target=$2
    before_install || exit
    cd "$target" || exit
    mkdir -p torch/lib torch/share/cmake/Torch nvidia/{cu13,cudnn,cusparselt,nccl}/lib \
      nvidia/nccl/include
    touch torch/lib/libtorch_cuda.so torch/share/cmake/Torch/TorchConfig.cmake \
      nvidia/cu13/lib/lib{cudart.so.13,cufile.so.0} nvidia/cudnn/lib/libcudnn.so.9 \
      nvidia/cusparselt/lib/libcusparseLt.so.0 nvidia/nccl/lib/libnccl.so.2 \
      nvidia/nccl/include/nccl.h
    printf "__version__ = '2.11.0+cu130'\ncuda: Optional[str] = '13.0'\n" >torch/version.py
    ;;
  *) exit 1 ;;
esac
SCRIPT
}
