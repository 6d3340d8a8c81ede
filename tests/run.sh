#!/usr/bin/env bash
# Everything that is checked before a change goes in: set-up, build, all tests. Arguments go to ctest, e.g. tests/run.sh -R comm
# Tests on real MNIST (label mnist) look for it in MNIST_DATA_DIR and are skipped without it.
set -euo pipefail
# shellcheck source=../launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/lib.sh"

setup
[[ ${MNIST_DIST_SETUP:-} == skip ]] || "$root/launch/setup.sh" --tests ||
  say "note: without these packages the tests of clusters (labels multihost, slurm) are skipped"
build_targets all
# A second try: the tests that stop and kill ranks under mpirun can run out of time on a busy machine. What fails twice has failed.
exec ctest --test-dir "$build" --output-on-failure --repeat until-pass:2 -j "$(nproc)" "$@"
