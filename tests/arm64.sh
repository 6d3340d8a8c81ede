#!/usr/bin/env bash
# Builds mnist-dist for arm64 and runs it under emulation.
set -euo pipefail
# shellcheck source=../launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

usage() {
  cat <<'HELP'
usage: tests/arm64.sh FOLDER [-- COMMAND...]

Builds mnist-dist for arm64 with a cross compiler and runs it under qemu-user in a Debian 12 for
arm64. Needs root, an amd64 Debian 12 or newer, and a network the first time.

  FOLDER      keeps the Debian system (FOLDER/root, 1 GB) and the build (FOLDER/root/build).
              A second run starts from them. Nothing is written anywhere else.
  -- COMMAND  build, then run COMMAND in the arm64 system, for example
              tests/arm64.sh FOLDER -- mnist-dist doctor

Without COMMAND: the tests of the fused engine and of the communicators (1, 2 and 4 ranks), then
20 training steps per recipe, data and SIMD target. The output has one line per training run with
the SHA-256 of its parameters. With MNIST_DIST_SLOW_TESTS=1 in the environment, also 200 steps per
recipe and SIMD target against the hashes of x86, which take some hours.
HELP
}

# The packages this script needs on the host.
tools() {
  local tool
  for tool in mmdebstrap:mmdebstrap arch-test:arch-test \
    aarch64-linux-gnu-g++:g++-aarch64-linux-gnu \
    qemu-aarch64-static:qemu-user-static protoc:protobuf-compiler; do
    command -v "${tool%%:*}" >/dev/null || echo "${tool##*:}"
  done
}

# The libraries that mnist-dist is built from, without LibTorch, and mpirun.
libraries() {
  sed -n '/^packages()/,/^TABLE/p' "$root/launch/setup.sh" |
    awk '/^(lib.*|.*json3)-dev / && !/torch/ { print $1 } END { print "openmpi-bin" }' | paste -sd,
}

# The kernel hands arm64 programs to qemu once this is registered. It stays until the next boot, as
# after an installation of qemu-user-static on a machine with an init system.
register_qemu() {
  local binfmt=/proc/sys/fs/binfmt_misc
  [[ ! -e $binfmt/qemu-aarch64 ]] || return 0
  say "registering qemu-aarch64 in $binfmt"
  [[ -e $binfmt/register ]] || mount -t binfmt_misc binfmt_misc "$binfmt"
  cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register"
}

make_system() {
  [[ $(cat "$folder/complete" 2>/dev/null) != $(libraries) ]] || return 0
  say "making a Debian 12 for arm64 in $system (some minutes)"
  rm -rf --one-file-system "$system"  # an interrupted run leaves /proc and /sys mounted in it
  quietly mmdebstrap --arch=arm64 --variant=minbase --include="$(libraries)" bookworm "$system" ||
    die 1 "mmdebstrap: no Debian for arm64 (see above)" "check the network and the free space"
  # Links that start at the root would leave the system when the cross compiler follows them.
  local link target
  find "$system/usr/lib/aarch64-linux-gnu" "$system/etc/alternatives" -type l -lname '/*' |
    while read -r link; do
      target=$(readlink "$link")
      ln -sfn "$(realpath -ms --relative-to="${link%/*}" "$system$target")" "$link"
    done
  libraries >"$folder/complete"
}

# CMake would run the host's mpicc and h5cc, so it gets their results for arm64.
cross_build() {
  local libraries=$system/usr/lib/aarch64-linux-gnu kind
  local options=(
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 "-DCMAKE_SYSROOT=$system"
    -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu
    -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++
    "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64-static;-L;$system"
    -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER
    -DMPI_C_LIB_NAMES=mpi "-DMPI_mpi_LIBRARY=$libraries/openmpi/lib/libmpi.so"
    "-DMPI_C_HEADER_DIR=$libraries/openmpi/include"
    -DHDF5_C_COMPILER_EXECUTABLE=/bin/false "-DHDF5_ROOT=$libraries/hdf5/serial"
    -DMNIST_DIST_TORCH=OFF)
  for kind in LIBRARY INCLUDE PACKAGE; do options+=("-DCMAKE_FIND_ROOT_PATH_MODE_$kind=ONLY"); done
  say "building in $system/build"
  rm -rf "$system/build/share"  # a link while CMake runs, a copy afterwards
  quietly cmake -S "$root" -B "$system/build" -G Ninja "${options[@]}" ||
    die 1 "cmake: the build for arm64 cannot be configured (see above)" "remove $folder and repeat"
  quietly cmake --build "$system/build" \
    --target mnist-dist fused_test fused_one_hash_test comm_test \
    comm_mpi_test ||
    die 1 "ninja: the build for arm64 failed (see above)" "follow the compiler's messages"
  # The program finds its recipes and MNIST beside itself.
  rm "$system/build/share/mnist-dist"
  mkdir "$system/build/share/mnist-dist"
  cp -r "$root/configs" "$root/data" "$system/build/share/mnist-dist/"
}

# in_system COMMAND...: in $work, in separate namespaces, so that mounts and processes end with
# it.
in_system() {
  # shellcheck disable=SC2016  # for the inner shells
  unshare --mount --pid --fork --kill-child bash -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" &&
      exec chroot "$1" env PATH=/build:/usr/bin:/bin HOME=/root OMPI_ALLOW_RUN_AS_ROOT=1 \
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 sh -c "cd /work && exec \"\$@\"" sh "${@:2}"' \
    in_system "$system" "$@"
}

on_ranks() { in_system mpirun -q --oversubscribe --bind-to none -np "$@"; }

# trains NAME ARGUMENTS...: prints the SHA-256 of the parameters after 20 steps.
trains() {
  local name=$1 hash
  shift
  hash=$("$@" --set train.max_steps=20 --run-dir "runs/$name" | sed -n 's/^parameters sha256 //p')
  [[ $hash =~ ^[0-9a-f]{64}$ ]] || die 1 "$name: no SHA-256 (got '$hash')" "read $system/work"
  printf '%-36s %s\n' "$name" "$hash"
}

run_all() {
  local ranks recipe data target targets
  targets=$(in_system mnist-dist doctor | sed -n 's/.*fused (SIMD: \([^)]*\)).*/\1/p')
  [[ $targets == *neon* ]] || die 1 "doctor: no NEON (got '$targets')" "read $system/build"
  in_system fused_test --gtest_brief=1
  # Against the hashes of x86. Outside of the system, where the recipes are.
  local steps='*AfterThreeSteps*'
  [[ ! ${MNIST_DIST_SLOW_TESTS:-} ]] || steps='*'
  qemu-aarch64-static -L "$system" "$system/build/fused_one_hash_test" --gtest_brief=1 \
    --gtest_filter="$steps"
  # qemu-user cannot install the seccomp filters of the excluded tests.
  in_system comm_test --gtest_brief=1 --gtest_filter='-SingleCopyDeathTest.*'
  for ranks in 1 2 4; do on_ranks "$ranks" comm_mpi_test --gtest_brief=1; done
  in_system mnist-dist prepare --out mnist.h5
  in_system mnist-dist prepare --synthetic --count 6000 --out synthetic.h5
  for data in synthetic mnist; do
    for recipe in step1 step2 step3 step4 step5 compact; do
      for target in ${targets//,/}; do
        trains "$data-$recipe-$target" in_system mnist-dist --config "$recipe" --simd "$target" \
          --set "data.file=$data.h5" --set train.evaluate_every=1000
      done
    done
    trains "$data-step4-neon-2-ranks" on_ranks 2 mnist-dist --config step4 --simd neon \
      --set "data.file=$data.h5"
  done
}

case ${1:-} in
  -h | --help) usage && exit ;;
  '' | -*) die 2 "tests/arm64.sh: no folder" "tests/arm64.sh FOLDER" ;;
esac
folder=$1
shift
[[ ${1:-} != -- ]] || shift
((EUID == 0)) || die 4 "tests/arm64.sh: needs root (chroot, mounts)" "run it with sudo"
mapfile -t missing < <(tools)
((!${#missing[@]})) ||
  die 4 "tests/arm64.sh: missing packages" "sudo apt-get install ${missing[*]}"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
system=$folder/root
register_qemu
make_system
cross_build
rm -rf "$system/work"
mkdir "$system/work"
if (($#)); then in_system "$@"; else run_all; fi
