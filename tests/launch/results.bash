# shellcheck shell=bash
# Assertions on the code and the output of the last `run`.

# fails CODE TEXT...: the last run ended so, with an error of two lines that holds these.
fails() {
  local code=$1
  shift
  [ "$status" -eq "$code" ] || { echo "code $status instead of $code: $output" && return 1; }
  [[ $(grep -c '^error: ' <<<"$output") == 1 && $(grep -c '^hint: ' <<<"$output") == 1 ]] ||
    { echo "not one error and one hint: $output" && return 1; }
  shows "$@"
}

# shows TEXT...
shows() {
  local text
  for text in "$@"; do
    [[ $output == *"$text"* ]] || { echo "without \"$text\": $output" && return 1; }
  done
}
