#!/usr/bin/env bats
# launch/lib.sh: messages, and mpirun's options and versions.

load fakes

setup() {
  source "$repository/launch/lib.sh"
}

@test "messages: no control characters, a limited length, and no failure on a closed terminal" {
  run say $'a\e[31mb\tB\xc3\xbcro\nend'
  [ "$output" = $'a?[31mb\tB\xc3\xbcro\nend' ]
  run say "$(printf 'x%.0s' {1..100000})"
  ((${#output} < 4100))
  [ -c /dev/full ] || return 0
  say lost 2>/dev/full
}

@test "each rank gets a core of its own" {
  nproc() { echo 8; }
  [[ $(mpirun_options 4 4 4 | xargs) == *"-q --map-by core --bind-to core" ]]
}

@test "more ranks than cores: unbound, and waiting ranks yield" {
  nproc() { echo 8; }
  [[ $(mpirun_options 5 4 4 |
    xargs) == *"--oversubscribe --bind-to none --mca mpi_yield_when_idle 1" ]]
}

@test "with an affinity mask mpirun must not bind: it would not keep to it" {
  nproc() { echo $(($# == 1 ? 8 : 4)); } # --all: 8
  [[ $(mpirun_options 2 4 4 | xargs) == *"--bind-to none" ]]
  [[ $(mpirun_options 2 4 4 | xargs) != *oversubscribe* ]]
}

@test "a rank with a GPU is not bound: LibTorch and NCCL have threads there" {
  nproc() { echo 8; }
  [[ $(MNIST_DIST_CUDA=on mpirun_options 4 4 4 | xargs) == *"-q --bind-to none" ]]
}

@test "Open MPI 5 gets only its own options" {
  nproc() { echo 8; }
  [[ $(mpirun_options 4 4 5 |
    xargs) == "--mca btl_tcp_if_include lo --map-by core --bind-to core" ]]
  [[ $(mpirun_options 5 4 5 |
    xargs) == *" lo --oversubscribe --bind-to none --mca mpi_yield_when_idle 1" ]]
}

@test "Open MPI's version" {
  fake mpirun \
    <<<'printf "%s\n" "mpirun (Open MPI) 5.0.7" "" "Report bugs to https://www.open-mpi.org/"'
  find_mpirun
  [ "$mpirun $major" = "mpirun 5" ]
  fake mpirun <<<'echo "mpirun (Open MPI) 4.1.4"'
  find_mpirun
  [ "$mpirun $major" = "mpirun 4" ]
}

@test "a different MPI's mpirun first in PATH: Open MPI's after it is used" {
  fake mpirun <<<'echo "mpirun (Open MPI) 4.1.4"'
  mkdir "$BATS_TEST_TMPDIR/conda"
  printf '#!/bin/bash\necho "HYDRA build details: Version: 4.0.2"\n' \
    >"$BATS_TEST_TMPDIR/conda/mpirun"
  chmod +x "$BATS_TEST_TMPDIR/conda/mpirun"
  PATH=$BATS_TEST_TMPDIR/conda:$PATH
  find_mpirun
  [ "$mpirun" = "$BATS_TEST_TMPDIR/bin/mpirun" ]
  [ "$major" -eq 4 ]
}

@test "no mpirun of Open MPI at all" {
  # Nothing but another MPI's, and Bash's own commands.
  fake mpirun <<<'echo "Intel(R) MPI Library for Linux* OS, Version 2021.9"'
  PATH=$BATS_TEST_TMPDIR/bin build=$BATS_TEST_TMPDIR run find_mpirun
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*"bin/mpirun"*"hint: install openmpi-bin"* ]]
}

@test "quietly prints the output of a failing command, and only that" {
  run quietly bash -c 'echo fine'
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run quietly bash -c 'echo trouble; exit 3'
  [ "$status" -eq 3 ]
  [ "$output" = trouble ]
}

@test "the number of compilers fits into memory" {
  (($(build_jobs) >= 1 && $(build_jobs) <= $(nproc)))
}
