#!/usr/bin/env bash
# Runs on a node: waits for the end that AWS or the node's TTL announces, prints it as one line and
# exits 0. Exits with 1 when stdin ends, because nothing reads its output any more.
set -u
imds=${MNIST_DIST_IMDS:-http://169.254.169.254}
deadline_file=${MNIST_DIST_DEADLINE:-/etc/mnist-dist/deadline}
seconds=${MNIST_DIST_NOTICE_SECONDS:-5}
# A checkpoint takes a second, copying it back less than a minute.
early=180

# read_imds PATH: sets answer. IMDSv2: a token first, valid for some hours. 404 means that nothing
# is announced.
token='' answer=''
read_imds() {
  [[ -n $token ]] ||
    token=$(curl -fs --max-time 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' \
      "$imds/latest/api/token") || return 1
  answer=$(curl -s --max-time 3 -w '\n%{http_code}' -H "X-aws-ec2-metadata-token: $token" \
    "$imds/latest/meta-data/$1") || return 1
  case ${answer##*$'\n'} in
    200) answer=${answer%$'\n'*} ;;
    401) token='' && return 1 ;; # expired, the next round requests a new one
    *) return 1 ;;
  esac
}

while :; do
  if read_imds spot/instance-action && [[ $answer == *'"action"'* ]]; then
    time=$(sed -n 's/.*"time" *: *"\([^"]*\)".*/\1/p' <<<"$answer")
    echo "spot interruption at ${time:-an unknown time} on $(hostname)"
    exit 0
  fi
  if deadline=$(cat "$deadline_file" 2>/dev/null) && (($(date +%s) >= deadline - early)); then
    echo "the time to live of $(hostname) ends at $(date -u -d "@$deadline" '+%H:%M:%S UTC')"
    exit 0
  fi
  code=0
  read -r -t "$seconds" _ || code=$?
  # Above 128 the time ran out, otherwise stdin has ended.
  ((code > 128)) || exit 1
done
