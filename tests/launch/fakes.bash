# shellcheck shell=bash
# Fake programs for the tests of the launch scripts: they stand first in PATH.

# shellcheck disable=SC2034  # used by the tests
repository=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# fake NAME: a program of that name that does what stdin says.
fake() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  { echo '#!/bin/bash' && cat; } >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# fake_system ID VERSION: what /etc/os-release says.
fake_system() {
  export MNIST_DIST_OS_RELEASE=$BATS_TEST_TMPDIR/os-release
  printf 'ID=%s\nVERSION_ID="%s"\nPRETTY_NAME="%s %s"\n' "$1" "$2" "$1" "$2" >"$MNIST_DIST_OS_RELEASE"
}

# fake_installed ALL_BUT...: dpkg-query finds every package it is asked for but these.
fake_installed() {
  fake dpkg-query <<SCRIPT
for name in "\$@"; do
  case " $* " in *" \$name "*) continue ;; esac
  [[ \$name == -* ]] || echo "\$name installed"
done
SCRIPT
}
