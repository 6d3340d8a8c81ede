# shellcheck shell=bash
# The AWS CLI, with its errors as two lines. To be sourced by ec2.sh.

scratch=$(temporary -d)
export AWS_PAGER="" # version 2 pages even into nothing

aws_cli() { aws --region "$region" --output text "$@"; }

# ask ARGUMENTS...: prints what AWS answers; on failure returns 1 and leaves AWS's words to
# aws_error.
ask() { aws_cli "$@" 2>"$scratch/error"; }

# The sentence in "[aws: [ERROR]: ]An error occurred (Code) when calling the X operation: sentence",
# else the last line.
aws_error() {
  sed -n -e 's/^.*An error occurred (\(.*\)) when calling the .* operation[^:]*: /\1: /' \
    -e '/./h; ${ x; p; }' "$scratch/error"
}

# need ARGUMENTS...: the same, where nothing continues without the answer.
need() { ask "$@" || aws_refused; }

aws_refused() {
  local words hint
  words=$(aws_error)
  case $words in
    *NoCredentials* | *"Unable to locate credentials"*)
      hint="aws configure (or aws sso login), then: aws sts get-caller-identity"
      ;;
    *Expired* | *InvalidClientToken* | *AuthFailure* | *SignatureDoesNotMatch*)
      hint="log in again, then: aws sts get-caller-identity"
      ;;
    *UnauthorizedOperation* | *AccessDenied* | *"not authorized"*)
      hint="docs/ec2.md lists the rights that your user needs"
      ;;
    *"Could not connect"* | *"endpoint URL"*) hint="check the network and --region $region" ;;
    *RequestLimitExceeded* | *Throttling*)
      hint="AWS asks for a pause; wait a minute and try again"
      ;;
    *) hint="aws sts get-caller-identity shows who you are; docs/ec2.md lists the rights that \
your user needs" ;;
  esac
  die 4 "AWS: ${words:-no answer}" "$hint"
}

# change ARGUMENTS...: what costs money or deletes. Ctrl-C waits for its answer: a request cut in
# half may have been heard. So it runs in the background, where the signal does not reach it. Its
# answer is in $scratch/answer.
change() {
  (
    trap '' INT TERM HUP
    aws_cli "$@"
  ) >"$scratch/answer" 2>"$scratch/error" &
  change_pid=$!
  finish_change
}

# finish_change: waits for the request under way, if there is one, whatever signals come; returns
# its code.
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
    die 2 "the AWS CLI is not installed" "docs/ec2.md says how; then aws configure"
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
  [[ -n $region ]] || region=$(aws configure get region 2>/dev/null || true)
  [[ -n $region ]] || die 2 "no AWS region" "--region us-east-1, or aws configure"
}
