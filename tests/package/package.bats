# The Debian package: name, dependencies, contents, manual pages, completion, and the program from
# the unpacked package in an empty folder.
bats_require_minimum_version 1.5.0
export NO_COLOR=1 BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-180}

setup_file() {
  command -v dpkg-shlibdeps || skip "dpkg-shlibdeps is not installed"
  export ARCH PACKAGES=$BATS_FILE_TMPDIR/packages TREE=$BATS_FILE_TMPDIR/tree
  ARCH=$(dpkg --print-architecture)
  "$CPACK" -G DEB --config "$BUILD_DIR/CPackConfig.cmake" -B "$PACKAGES"
  export DEB=$PACKAGES/mnist-dist_${VERSION}_$ARCH.deb
  dpkg-deb -x "$DEB" "$TREE"
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PROGRAM=$TREE/usr/bin/mnist-dist
}

commands() { "$PROGRAM" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]\+\) .*/\1/p'; }

@test "file names are NAME_VERSION_ARCH.deb, and LibTorch has its own package" {
  local expected=("mnist-dist_${VERSION}_$ARCH.deb")
  [ -z "$TORCH_LIBRARY" ] || expected=("mnist-dist-torch_${VERSION}_$ARCH.deb" "${expected[@]}")
  [ "$(cd "$PACKAGES" && printf '%s\n' *.deb)" = "$(printf '%s\n' "${expected[@]}")" ]
  [ "$(dpkg-deb -f "$DEB" Version)" = "$VERSION" ]
}

@test "dependencies: mpirun and the libraries, not LibTorch" {
  local depends
  depends=$(dpkg-deb -f "$DEB" Depends)
  for package in openmpi-bin libopenmpi libhdf5 libc6 libstdc++6; do
    [[ ", $depends" == *", $package"* ]]
  done
  [[ $depends != *torch* ]]
  [ -n "$TORCH_LIBRARY" ] || return 0
  depends=$(dpkg-deb -f "$PACKAGES/mnist-dist-torch_${VERSION}_$ARCH.deb" Depends)
  [[ ", $depends" == *", mnist-dist (= $VERSION)"* ]]
  dpkg-deb -c "$PACKAGES/mnist-dist-torch_${VERSION}_$ARCH.deb" | grep -q /usr/lib/mnist-dist/lib
}

@test "contents, owned by root: program, recipes, MNIST, scripts, manual, completion, licences" {
  for file in bin/mnist-dist share/mnist-dist/configs/step4.toml share/mnist-dist/launch/local.sh \
    share/mnist-dist/data/mnist/train-images-idx3-ubyte.gz share/man/man1/mnist-dist.1.gz \
    share/bash-completion/completions/mnist-dist share/doc/mnist-dist/copyright; do
    [ -f "$TREE/usr/$file" ] || { echo "missing: $file" && false; }
  done
  grep -q '^License: CC-BY-SA-3.0' "$TREE/usr/share/doc/mnist-dist/copyright"
  [ "$(ls "$TREE")" = usr ]
  # Nothing that others can write, and no other owner.
  run -1 bash -c "dpkg-deb -c '$DEB' | grep -vE '^[-d]rwxr-xr-x root/root |^-rw-r--r-- root/root '"
}

@test "each command has a manual page that renders without a warning" {
  command -v man || skip "man is not installed"
  local command
  for command in '' $(commands | sed 's/^/-/'); do
    local page=$TREE/usr/share/man/man1/mnist-dist$command.1.gz
    [ -z "$(man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)" ]
    MANPAGER='cat' man -E UTF-8 -l "$page" | grep -q -- '--help'
  done
  MANPAGER='cat' man -l "$TREE/usr/share/man/man1/mnist-dist-sweep.1.gz" | grep -q -- '--seeds'
}

# complete WORD...: the words that Bash would offer for the last WORD.
completes() {
  bash -c '
    compopt() { :; } # works only while Bash completes
    . "$1"
    COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
    _mnist_dist "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$TREE/usr/share/bash-completion/completions/mnist-dist" "$PROGRAM" "$@" | paste -sd ' '
}

@test "completion offers commands, the options of each, recipes, values and keys" {
  [ "$(completes '')" = "$(commands | paste -sd ' ')" ]
  [ "$(completes lr)" = lr-find ]
  [ "$(completes swe)" = sweep ]
  [ "$(completes sweep --see)" = --seeds ]
  [ "$(completes --see)" = --seed ]
  [ "$(completes train --config comp)" = compact ]
  [ "$(completes --config = step)" = "step1 step2 step3 step4 step5" ]
  [ "$(completes train --device c)" = "cpu cuda" ]
  [ "$(completes --set train.ep)" = "train.epochs=" ]
  local command
  for command in $(commands); do [[ " $(completes "$command" -) " == *" --help "* ]]; done
}

@test "the unpacked program trains in an empty folder, alone and on two ranks" {
  [ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export ASAN_OPTIONS=detect_leaks=0
  unset MNIST_DATA_DIR
  local short=(--set train.max_steps=5)
  run -0 "$PROGRAM" "${short[@]}" --run-dir one
  [[ $output == *"| MNIST data/mnist.h5 |"* ]]
  run -0 mpirun --oversubscribe --bind-to none --mca btl_tcp_if_include lo -np 2 "$PROGRAM" \
    "${short[@]}" --run-dir two
  [ "$(grep parameters_sha256 one/summary.json)" = "$(grep parameters_sha256 two/summary.json)" ]
}

@test "an installed program reads no source tree: without its own files it has none" {
  unset MNIST_DATA_DIR
  cp -r "$TREE" without
  rm -r without/usr/share/mnist-dist/configs/step4.toml
  run -2 without/usr/bin/mnist-dist summary --config step4
  rm -r without/usr/share/mnist-dist/data
  run -3 without/usr/bin/mnist-dist prepare
}

@test "removing the package leaves nothing behind" {
  local dpkg=(dpkg --force-depends --force-not-root --force-bad-path --log=/dev/null
    --admindir="$PWD/admin" --instdir="$PWD/root")
  mkdir -p admin/updates admin/info root
  touch admin/status admin/available
  "${dpkg[@]}" -i "$DEB"
  [ -x root/usr/bin/mnist-dist ]
  "${dpkg[@]}" -P mnist-dist
  [ -z "$(find root -mindepth 1)" ]
}
