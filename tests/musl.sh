#!/usr/bin/env bash
# The test fused_one_hash with musl, libc++ and Zig's Clang instead of glibc, libstdc++ and GCC,
# linked statically: the recipes' first steps must end in the recorded hashes. Only the parts that
# compute are built, without Open MPI and HDF5. Not part of CTest: it fetches Zig from PyPI (90 MB)
# and Highway's source from Debian.
# usage: tests/musl.sh FOLDER [x86_64|aarch64] [arguments for the test]
# aarch64 runs under qemu-aarch64-static (Debian: qemu-user-static). MNIST_DIST_SLOW_TESTS=1: also
# 200 steps on the slow targets.
# Environment: HIGHWAY, a folder with Highway's source (default: apt-get source highway)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../launch/lib.sh
source "$root/launch/lib.sh"
(($# > 0)) || die 2 "usage: tests/musl.sh FOLDER [x86_64|aarch64] [arguments for the test]" \
  "name a folder for its files"
mkdir -p "$1"
cd "$1"
arch=${2:-x86_64}
shift $(($# > 1 ? 2 : 1))

if [[ ! -x zig/bin/python ]]; then
  python3 -m venv zig
  zig/bin/pip install --quiet ziglang
fi
if [[ -z ${HIGHWAY:-} ]]; then
  if [[ ! -d highway ]]; then
    apt-get source --download-only highway >/dev/null ||
      die 4 "apt-get source highway: no source" "add deb-src to apt's sources, or set HIGHWAY"
    mkdir highway
    tar xf highway_*.orig.tar.* -C highway --strip-components 1
  fi
  HIGHWAY=$PWD/highway
fi

# Headers of libraries without the C library's.
mkdir -p include "$arch"
for library in toml++ fmt Random123 gtest; do ln -sfn "/usr/include/$library" include; done
ln -sfn "$HIGHWAY/hwy" include
echo "#define CONFIGS \"$root/configs\"" >include/configs.h
mkdir -p include/base
printf '%s\n' '#pragma once' 'namespace mnist_dist {' \
  'inline constexpr const char *version = "musl", *revision = "", *build_type = "";' '}' \
  >include/base/version.h
# OpenSSL is a library of the system's C library. sha256sum computes the same.
cat >sha256.cpp <<'CODE'
#include "base/sha256.h"

#include <cstdio>

namespace mnist_dist {

struct Sha256::Context {
  std::FILE* file = std::tmpfile();
};
Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() { std::fclose(context_->file); }
Sha256& Sha256::add(std::span<const std::byte> bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), context_->file);
  return *this;
}
Sha256Digest Sha256::digest() {
  std::fflush(context_->file);
  const std::string command =
      "sha256sum < /proc/" + std::to_string(getpid()) + "/fd/" +
      std::to_string(fileno(context_->file));
  std::FILE* const out = popen(command.c_str(), "r");
  Sha256Digest digest{};
  for (auto& byte : digest) {
    unsigned value = 0;
    if (std::fscanf(out, "%2x", &value) != 1) std::abort();
    byte = static_cast<unsigned char>(value);
  }
  pclose(out);
  return digest;
}
Sha256Digest sha256(std::span<const std::byte> bytes) { return Sha256().add(bytes).digest(); }
std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  char two[3];
  for (const unsigned char byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}
bool is_sha256(const std::string& text) { return text.size() == 64; }

}  // namespace mnist_dist
CODE

cxx=(zig/bin/python -m ziglang c++ -target "$arch-linux-musl" -std=c++20 -O2 -w
  -include "$root/src/base/exact_math.h" -include include/configs.h -include unistd.h
  -ffp-contract=off -fno-math-errno -DFMT_HEADER_ONLY -DTOML_HEADER_ONLY=1
  -Iinclude -I"$root/src" -I"$root/tests" -I/usr/src/googletest/googletest)
sources=(sha256.cpp include/hwy/{targets,aligned_allocator,per_target}.cc
  /usr/src/googletest/googletest/src/gtest-all.cc /usr/src/googletest/googletest/src/gtest_main.cc
  "$root/tests/engine/fused/one_hash_test.cpp" "$root"/src/{model,config,engine/fused}/*.cpp
  "$root"/src/base/{arithmetic,awake_clock,cpus,error,file,folder_lock,lease,nearest}.cpp
  "$root"/src/base/{printable,process,provenance,random,share,shell_word,signals}.cpp
  "$root/src/base/standard_streams.cpp"
  "$root"/src/data/{augment,digit_strokes,dropout,elastic,order,resample,synthetic}.cpp
  "$root"/src/engine/{host_engine,thread_pool,update}.cpp "$root/src/train/schedule.cpp")
for source in "${sources[@]}"; do
  object=$arch/${source//\//_}.o
  [[ $object -nt $source ]] || printf '%s\0' -c "$source" -o "$object"
done | xargs -0 --no-run-if-empty -n 4 -P "$(nproc)" "${cxx[@]}"
"${cxx[@]}" -o "one_hash-$arch" "$arch"/*.o
run=()
[[ $arch == "$(uname -m)" ]] || run=("qemu-$arch-static")
"${run[@]}" "./one_hash-$arch" "$@"
