#!/usr/bin/env bash
# Writes docs/cli.md from the --help of every command: docs/cli.sh PROGRAM >docs/cli.md
set -euo pipefail
program=$1

help_of() {
  printf '\n```\n'
  "$program" "$@" --help </dev/null
  printf '```\n'
}

cat <<'PAGE'
# Commands

Made by `docs/cli.sh build/mnist-dist >docs/cli.md`. A test compares it with the program.
PAGE
help_of
for command in $("$program" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]\+\) .*/\1/p'); do
  printf '\n## %s\n' "$command"
  help_of "$command" | sed '/^`mnist-dist --seed 3`/,/^$/d'
done
