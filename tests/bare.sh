#!/usr/bin/env bash
# The README's two commands, as a new user types them, in a Debian with only its base system.
set -euo pipefail
# shellcheck source=../launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

usage() {
  cat <<'HELP'
usage: tests/bare.sh FOLDER [--suite SUITE] [--without-libtorch] [--loopback-down] [-- COMMAND...]

Makes a minimal Debian in FOLDER/SUITE, installs the packages of launch/setup.sh, cuts the network,
clones the last commit of this repository there, and runs launch/local.sh and tests/run.sh. Both
must end with exit code 0, training must end in the README's parameters, and no test on MNIST may
be skipped. Needs root, debootstrap and git, and a network for the packages.

  FOLDER              keeps the system (3 GB) and FOLDER/ccache, which all systems share.
                      A second run starts from them, with a fresh clone.
  --suite SUITE       bookworm (default) or trixie
  --without-libtorch  apt cannot install libtorch-dev there. Uses FOLDER/SUITE-without-libtorch.
  --loopback-down     without a network, the loopback interface is down, too
  -- COMMAND          run COMMAND in the clone, without a network, instead of the two commands
HELP
}

folder='' suite=bookworm libtorch=true loopback=up
while (($#)); do
  case $1 in
    -h | --help) usage && exit ;;
    --suite) suite=${2:-} && shift ;;
    --without-libtorch) libtorch=false ;;
    --loopback-down) loopback=down ;;
    --) shift && break ;;
    -*) die 2 "unknown argument $1" "tests/bare.sh --help" ;;
    *) folder=$1 ;;
  esac
  shift
done
[[ $folder ]] || die 2 "tests/bare.sh: no folder" "tests/bare.sh FOLDER"
[[ $suite =~ ^(bookworm|trixie)$ ]] || die 2 "--suite $suite: unknown" "--suite bookworm, or trixie"
((EUID == 0)) || die 4 "tests/bare.sh: needs root (chroot, mounts)" "run it with sudo"
for tool in debootstrap git; do
  command -v "$tool" >/dev/null || die 4 "$tool is missing" "sudo apt-get install $tool"
done
mkdir -p "$folder"
system=$(cd "$folder" && pwd)/$suite
$libtorch || system+=-without-libtorch
source_commit=$(git -C "$root" rev-parse HEAD)

# in_system NETWORK COMMAND...: NETWORK is on, up (loopback only) or down. Mounts and processes end
# with it.
in_system() {
  local network=$1 namespaces=(--mount --pid --fork --kill-child)
  shift
  [[ $network == on ]] || namespaces+=(--net)
  # shellcheck disable=SC2016  # for the inner shell
  unshare "${namespaces[@]}" bash -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
      mount -t sysfs sys "$1/sys" && mount --bind "$1/../ccache" "$1/mnt" || exit
    [[ $2 != up ]] || ip link set lo up
    exec chroot "$1" env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      CCACHE_DIR=/mnt \
      ${CI:+CI=$CI} "${@:3}"' in_system "$system" "$network" "$@" </dev/null
}

make_system() {
  [[ ! -e $system/complete ]] || return 0
  say "making a minimal Debian $suite in $system (some minutes)"
  rm -rf "$system"
  quietly debootstrap --variant=minbase "$suite" "$system" ||
    die 1 "debootstrap: no system (see above)" "check the network and the free space"
  cp /etc/resolv.conf "$system/etc/"
  if ! $libtorch; then
    printf '%s\n' 'Package: libtorch-dev' 'Pin: release *' 'Pin-Priority: -1' \
      >"$system/etc/apt/preferences"
  fi
  mkdir -p "$folder/ccache"
  in_system on apt-get -q update >/dev/null
  in_system on apt-get -q -y install --no-install-recommends git >/dev/null
  touch "$system/complete"
}

fresh_clone() {
  rm -rf "$system/root/mnist-dist"
  git clone -q --no-hardlinks "$root" "$system/root/mnist-dist"
  git -C "$system/root/mnist-dist" checkout -q "$source_commit"
}

# step NAME COMMAND...: runs it in the clone without a network, and keeps its output.
step() {
  local name=$1 code=0 start=$SECONDS
  shift
  # shellcheck disable=SC2016  # for the inner shell
  in_system "$loopback" bash -c 'cd /root/mnist-dist && "$@"' step "$@" >"$system/$name.log" 2>&1 ||
    code=$?
  say "$name: exit code $code after $((SECONDS - start)) s ($system/$name.log)"
  ((code == 0)) || { tail -n 30 "$system/$name.log" >&2 && return "$code"; }
}

make_system
fresh_clone
say "installing packages in $system"
in_system on bash -c 'cd /root/mnist-dist && launch/setup.sh --tests' >"$system/setup.log" 2>&1 ||
  die 1 "launch/setup.sh failed: $(tail -n 1 "$system/setup.log")" "read $system/setup.log"
if (($#)); then
  in_system "$loopback" bash -c 'cd /root/mnist-dist && "$@"' command "$@"
  exit
fi

step local launch/local.sh
wanted=$(sed -n 's/^parameters sha256 //p' "$root/README.md")
grep -qx "parameters sha256 $wanted" "$system/local.log" ||
  die 1 "training ended in other parameters than the README's $wanted" "read $system/local.log"
# The same on AVX2, as on a laptop.
if grep -qw avx512f /proc/cpuinfo; then
  step local-avx2 launch/local.sh --simd avx2
  grep -qx "parameters sha256 $wanted" "$system/local-avx2.log" ||
    die 1 "training on AVX2 ended in other parameters" "read $system/local-avx2.log"
fi
step tests tests/run.sh
# fused_mnist compares with LibTorch.
without=none
$libtorch || without=fused_mnist
if grep -E '^ *[0-9]+/[0-9]+ Test .*mnist.*(Skipped|Not Run)' "$system/tests.log" |
  grep -v " $without "; then
  die 1 "a test on MNIST was skipped" "read $system/tests.log"
fi
grep -E 'tests passed|Skipped|Disabled' "$system/tests.log" >&2 || true
say "passed: $(sed -n 's/^PRETTY_NAME=//p' "$system/etc/os-release")"
