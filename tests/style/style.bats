# Format, length of lines, words. Files that git does not know are left out.
bats_require_minimum_version 1.5.0

setup() {
  cd "$SOURCE_DIR"
  git ls-files >/dev/null 2>&1 || skip "no clone of the repository"
}

# files PATTERN...: what people write, without data, evidence and fuzz inputs.
files() {
  git ls-files -- "$@" | grep -v -E '^(docs/results|tests/fuzz/corpus|data/mnist)/' |
    while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
}

# Another version breaks lines in other places.
@test "clang-format changes nothing" {
  command -v clang-format >/dev/null || skip "no clang-format"
  [[ "$(clang-format --version)" == *"version 14."* ]] || skip "another clang-format than 14"
  files '*.cpp' '*.h' '*.cu' | xargs clang-format --dry-run --Werror
}

# Commands in Markdown are in blocks with a language, output in those without.
@test "lines have up to 100 columns, but for tables, addresses, and output in Markdown" {
  run -0 env LC_ALL=C awk '
    FNR == 1 { block = output = 0 }
    FILENAME ~ /\.md$/ && /^ *```/ { output = !block && /^ *```$/; block = !block }
    { text = $0; gsub(/[\200-\277]/, "", text) }  # continuation bytes of UTF-8
    length(text) > 100 && !output && !/^ *\|/ && !/https?:\/\// {
      print FILENAME ":" FNR ": " $0
    }' $(
      files '*.cpp' '*.h' '*.h.in' '*.cu' '*.md' '*.sh' '*.bats' '*.bash' '*.py' '*.sbatch' \
        '*.toml' '*.cmake' '*CMakeLists.txt' '*.yaml' '*.proto' '*.def' '*Dockerfile' .ci/run)
  [ -z "$output" ]
}

@test "links between pages and files lead somewhere" {
  run -0 awk '
    FNR == 1 { folder = FILENAME; sub(/[^\/]*$/, "", folder); code = 0 }
    /^ *```/ { code = !code }
    code { next }
    { for (rest = $0; match(rest, /\]\([^) ]+/); rest = substr(rest, RSTART + RLENGTH)) {
        target = substr(rest, RSTART + 2, RLENGTH - 2)
        sub(/#.*/, "", target)
        if (target != "" && target !~ /:/) print folder target "\t" FILENAME ":" FNR
      } }' $(files '*.md')
  local target place
  while IFS=$'\t' read -r target place; do
    [ -e "$target" ] || { echo "$place: $target does not exist" && return 1; }
  done <<<"$output"
}

@test "words that the project does not use" {
  local words='\b(anew|go(es)? on with|threads a rank|a rank a|a rank each)\b'
  # HACKING.md names them.
  run -1 grep -nE "$words" $(files '*.cpp' '*.h' '*.cu' '*.md' '*.sh' '*.toml' | grep -v HACKING.md)
  local kinds='number|size|type|format|recipe|section|machine|network|shape|block|name'
  kinds+='|reason|seed|version|tensor|place|set|build|CPU'
  run -1 grep -nEi "\banother ($kinds)\b" $(files '*.cpp' '*.h' '*.cu' '*.md')
}

@test "words that pages, scripts and recipes do not use" {
  local units='rank|core|GPU|node|host|image|step|seed|slice|lane|candidate'
  local words="\\b(lacks?|lacking|anew|afresh|begun|go(es)? on|went on|[Ss]omebody|Who(ever)?\
|st(ands?|ood) still|asked for|taken for|told|speaks?|in place of\
|($units) a ($units|second|task|line)|(once|twice) a)\\b"
  # Generated from the program, and HACKING.md names them.
  run -1 grep -nE "$words" $(files '*.md' '*.sh' '*.toml' | grep -v -E 'HACKING.md|docs/cli.md')
}

@test "comments of C++ begin with nouns, and all comments have one fact per sentence" {
  run -1 grep -nE '((^ *|[;{},)] +)//+<? *|//.*[.] )(What|Who|Whoever|Which)\b' \
    $(files '*.cpp' '*.h' '*.cu' '*.proto')
  run -1 grep -nE '#.*[.] (What|Who|Whoever|Which)\b' \
    $(files '*.sh' '*.bash' '*.bats' '*.sbatch' '*.toml' '*.cmake' '*CMakeLists.txt' '*.yaml' \
      .ci/run)
  run -1 grep -nE '(^ *|[;{},)] +)//+<? .*;( |$)' $(files '*.cpp' '*.h' '*.cu')
  run -1 grep -nE '^ *# .*[[:alnum:])}"`](; |;$)' \
    $(files '*.sh' '*.bash' '*.bats' '*.sbatch' '*.toml' '*.cmake' '*CMakeLists.txt' .ci/run)
}

@test "preconditions and Throws: in comments of headers begin a line" {
  run -1 grep -nE '^ *//.*([^/ ] +Throws:|[.:)] +Collective\b)' $(files 'src/*.h')
}

@test "words and semicolons that the program does not use" {
  local sources=$(files 'src/*.cpp' 'src/*.h' 'src/*.cu')
  local words='\b(begun|lacks?|asked for|taken for|(some|no)body|whoever|told|stands? still)\b'
  run -1 grep -niE "$words" $sources
  run -1 grep -nE '//.*\b(so (many|much)|stood still|Throws Error)\b' $sources
  # In texts. SVG has them, too.
  local semicolon='[[:alnum:])}]; ([A-Za-z{]|"$)'
  run -1 bash -c 'grep -noE "\"([^\"\\]|\\.)*\"" "${@:2}" | grep -v fill: | grep -E "$1"' \
    _ "$semicolon" $sources
}

@test "words that messages and help do not use" {
  local words='\b(another|refuse[sd]?|alike|for instance|an? [a-z]+ each)\b'
  words="($words|\b(known|finite first): )"
  run -1 bash -c 'grep -noE "\"([^\"\\]|\\.)*\"" "${@:2}" | grep -iE "$1"' \
    _ "$words" $(files 'src/*.cpp' 'src/*.h' 'src/*.cu')
  # ssh itself prints "Connection refused".
  run -1 bash -c 'grep -nE "^ *[^# ]" "${@:2}" | grep -iE "$1" | grep -v "Connection refused"' \
    _ "\"[^\"]*$words" $(files 'launch/*.sh' 'launch/*.sbatch')
}

@test "names of tests" {
  run -1 grep -nE '^TEST[_FP]*\(.*((One|Once|Line|Row|Kernel)A[A-Z]|Refus|Lacks|AsksFor)' \
    $(files 'tests/*.cpp')
}

@test "spelling" {
  command -v codespell >/dev/null || skip "no codespell"
  # Wrong on purpose, in tests of near names. The last ones are right.
  run -0 codespell -L trian,linaer,nd,te,keypair,debians \
    $(files '*.cpp' '*.h' '*.cu' '*.md' '*.sh' '*.bats' '*.py' '*.toml')
}
