# shellcheck shell=bash
# The AWS CLI, with its errors as two lines. To be sourced by ec2.sh.

scratch=$(temporary -d)
export AWS_PAGER="" # version 2 starts a pager even without a terminal

aws_cli() { aws --region "${opt[region]}" --output text "$@"; }

# ask ARGUMENTS...: prints AWS's reply. On failure returns 1, and aws_error prints AWS's message.
ask() { aws_cli "$@" 2>"$scratch/error"; }

# The sentence in "[aws: [ERROR]: ]An error occurred (Code) when calling the X operation: sentence",
# otherwise the last line.
aws_error() {
  sed -n -e 's/^.*An error occurred (\(.*\)) when calling the .* operation[^:]*: /\1: /' \
    -e '/./h; ${ x; p; }' "$scratch/error"
}

# need ARGUMENTS...: like ask. A failure ends the script.
need() { ask "$@" || aws_rejected; }

aws_rejected() {
  local words hint
  words=$(aws_error)
  case $words in
    *NoCredentials* | *"Unable to locate credentials"*)
      hint="run aws configure (or aws sso login), then: aws sts get-caller-identity"
      ;;
    *Expired* | *InvalidClientToken* | *AuthFailure* | *SignatureDoesNotMatch*)
      hint="log in again, then: aws sts get-caller-identity"
      ;;
    *UnauthorizedOperation* | *AccessDenied* | *"not authorized"*)
      hint="give your user the rights in docs/ec2.md"
      ;;
    *"Could not connect"* | *"endpoint URL"*)
      hint="check the network and --region ${opt[region]}"
      ;;
    *RequestLimitExceeded* | *Throttling*) hint="wait a minute, then try again" ;;
    *) hint="check your user with aws sts get-caller-identity, and its rights with docs/ec2.md" ;;
  esac
  die 4 "AWS: ${words:-no reply}" "$hint"
}

# change ARGUMENTS...: a request that costs money or deletes. Ctrl-C waits for its reply, because an
# interrupted request may be executed. So it runs in the background, where the signal does not reach
# it. Its reply is in $scratch/answer.
change() {
  (
    trap '' INT TERM HUP
    aws_cli "$@"
  ) >"$scratch/answer" 2>"$scratch/error" &
  change_pid=$!
  finish_change
}

# finish_change: waits for a pending request, in spite of signals. Returns its code.
change_pid=''
finish_change() {
  local code=0
  [[ -n $change_pid ]] || return 0
  while kill -0 "$change_pid" 2>/dev/null; do wait "$change_pid" || true; done
  wait "$change_pid" || code=$?
  change_pid=''
  return "$code"
}

find_region() {
  command -v aws >/dev/null ||
    die 2 "the AWS CLI is not installed" "install it (docs/ec2.md), then run aws configure"
  opt[region]=${opt[region]:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
  [[ -n ${opt[region]} ]] || opt[region]=$(aws configure get region 2>/dev/null || true)
  [[ -n ${opt[region]} ]] || die 2 "no AWS region" "use --region us-east-1, or run aws configure"
}
