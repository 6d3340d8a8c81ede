# shellcheck shell=bash
# Bash completion for mnist-dist: commands, each command's options, recipes, and the values that an
# option's help lists. All of it comes from the program's --help and the recipe folders, so it
# fits the installed version.

# _mnist_dist_recipes PROGRAM: names of the recipes that PROGRAM finds, in its own order of search.
_mnist_dist_recipes() {
    local folder file
    folder=$(dirname -- "$(readlink -f -- "$(type -P -- "$1")")")
    for file in configs/*.toml "$folder"/share/mnist-dist/configs/*.toml \
        "${folder%/*}"/share/mnist-dist/configs/*.toml; do
        [[ -f $file ]] && basename -- "$file" .toml
    done
}

# _mnist_dist_values OPTION: the values in `OPTION a|b`, read from a command's help on stdin.
_mnist_dist_values() {
    sed -n -E "s/^ +(-[^ ]+,)?$1 ([a-z0-9]+\|[a-z0-9|]+)( .*)?$/\2/p" | tr '|' '\n'
}

_mnist_dist() {
    local program=${1/#\~/$HOME} current=$2 previous=$3 command=train word help
    COMPREPLY=()
    help=$("$program" --help 2>/dev/null) || return
    local commands
    commands=$(sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]\+\) .*/\1/p' <<<"$help")
    if [[ ${COMP_WORDS[1]} != -* ]]; then
        if ((COMP_CWORD == 1)); then
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
            return
        fi
        command=${COMP_WORDS[1]}
        if [[ $command == help && $current != -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
            return
        fi
    fi
    # Bash splits at "=": in `--config=st` the option is two words before the value.
    [[ $current == = ]] && current=
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    help=$("$program" "$command" --help 2>/dev/null) || return
    case $previous in
        --config)
            mapfile -t COMPREPLY < <(compgen -W "$(_mnist_dist_recipes "$program")" -- "$current")
            compopt -o default
            return
            ;;
        --set)
            word=$("$program" --print-config 2>/dev/null | awk '
                /^\[[a-z]/ { section = substr($1, 2, index($1, "]") - 2) }
                /^[a-z_]+ *=/ { print section "." $1 "=" }')
            mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
            compopt -o nospace
            return
            ;;
        --*)
            word=$(_mnist_dist_values "$previous" <<<"$help")
            if [[ -n $word ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
                return
            fi
            ;;
    esac
    if [[ $current == -* ]]; then
        word=$(sed -n -E 's/^ +((-[a-z],)?--[a-z-]+).*/\1/p' <<<"$help" | sed 's/.*,//')
        mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
    else
        compopt -o default # names of files and folders
    fi
}

complete -F _mnist_dist mnist-dist
