#!/usr/bin/env bash
# man_pages.sh PROGRAM FOLDER: writes mnist-dist.1.gz and mnist-dist-COMMAND.1.gz for each command
# from the program's --help.
# EMULATOR: in a cross build, the command that runs PROGRAM (a list as CMake writes it).
set -euo pipefail

program=$1 folder=$2
IFS=';' read -ra emulator <<<"${EMULATOR:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
rm -f "$folder"/*.1.gz

run() { ${emulator[@]+"${emulator[@]}"} "$program" "$@"; }

# page NAME SEE_ALSO [COMMAND]: help2man starts one program without arguments, so each page has its
# own script, which prints the help as the program does.
page() {
  local name=$1 also=$2
  shift 2
  run "$@" --help >"$work/help"
  printf '#!/bin/sh\ncat %q\n' "$work/help" >"$work/$name"
  chmod +x "$work/$name"
  printf '[SEE ALSO]\n%s\n' "$also" >"$work/include"
  help2man --no-info --section=1 --include="$work/include" --name="$(head -n 1 "$work/help")" \
    --version-string="$version" "$work/$name" | gzip -9n >"$folder/$name.1.gz"
}

version=$(run --version | cut -d ' ' -f 2)
mapfile -t commands < <(run --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]\+\) .*/\1/p')
((${#commands[@]})) || { echo "error: $program --help: no list of commands" >&2 && exit 1; }
all=$(printf '.BR mnist-dist-%s (1)\n' "${commands[@]}")
page mnist-dist "$all"
for command in "${commands[@]}"; do
  page "mnist-dist-$command" ".BR mnist-dist (1)" "$command"
done
