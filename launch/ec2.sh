#!/usr/bin/env bash
# A cluster of EC2 instances: up, train, results back, down. One CloudFormation stack is one
# cluster. AWS keeps its state.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'HELP'
usage: launch/ec2.sh COMMAND [options]

  up        checks quota and zones, shows the price, requests confirmation, creates the cluster and
            builds on it. A failure deletes everything
  run       trains on it:  launch/ec2.sh run [options] [arguments for mnist-dist train]
  sweep     the same:      launch/ec2.sh sweep [options] [arguments for mnist-dist sweep]
            on a cluster of one node
  status    nodes, age, time to live, cost so far (without --name: all clusters)
  logs      follows the running job, or shows the last one's output
  fetch     copies the results here. run, sweep and logs do this while they run
  ssh       launch/ec2.sh ssh [options] [node number] [command]
  down      deletes everything and verifies it
  cost      cost so far, or with --instance the cost of a new cluster

  --name N          the cluster (default: main)
  --instance TYPE   up, cost: one of launch/instances.tsv
  --nodes N         up, cost: number of nodes (default: 1)
  --region R        region (default: the AWS CLI's)
  --spot            up: spot instances. A run continues without an interrupted node. If it is the
                    first one, the run ends with a checkpoint
  --ttl T           up, cost: nodes terminate after this time, without this machine (default: 2h,
                    also 90m, 1h30m)
  --key-file F      up: your ssh key (default: a new one for this cluster)
  --subnet S        up: a subnet (default: one of the default network)
  --from CIDR       up: addresses that may use ssh (default: this machine's public one)
  --image NAME      up: the newest image of ubuntu (24.04, the default), ubuntu-26.04, debian-12 or
                    debian-13. Debian's is for types without GPUs: it has no NVIDIA driver
  --ami A           up: this image, with the user of --image
  --capacity-reservation ID
                    up: in this On-Demand Capacity Reservation or Capacity Block
  --down-when-done  run, sweep: delete the cluster after the job, when the results are copied
  --price P         dollars per node and hour, if the table is out of date
  --s3 URL          s3://BUCKET/FOLDER. up: the nodes copy results there, too. fetch: from there
  --keep            up: keep nodes running whose set-up failed
  --no-schedule     up: the stack does not delete itself after the TTL (for users without rights
                    for IAM and EventBridge Scheduler). The nodes end in any case
  --bare            up: no set-up (run does it)
  --results D       folder for results (default: runs)
  --detach          run, sweep: do not follow the job
  --no-fetch        down: do not copy results first
  --dry-run         print the actions and the price, change nothing
  --yes             skip the confirmation
  -h                print this help

Needs bash and the AWS CLI, and for running nodes ssh and rsync. docs/ec2.md is the walkthrough.
NOT RUN ON REAL AWS YET: tested with a simulated one (moto). Watch the EC2 console the first times.
Ctrl-C during up deletes everything. During run, sweep and logs the ranks stop with a checkpoint
(exit code 130).
Exit codes: 0 done, 2 usage, 3 files, 4 AWS or a node, 130 interrupted. run and sweep return
mnist-dist's.
HELP
}

read_options() {
  name=main name_given=false instance='' nodes=1 region='' spot=false ttl=2h key_file='' subnet='' \
    caller='' image='' price='' s3='' reservation='' block=false family='' \
    root_device='' down_when_done=false \
    self_delete=true keep=false bare=false results=runs detach=false fetch_first=true \
    dry_run=false yes=false arguments=()
  while (($#)); do
    case $1 in
      --name | --instance | --nodes | --region | --ttl | --key-file | --subnet | --from | --ami | \
        --image | --price | --s3 | --results | --capacity-reservation)
        [[ -n ${2:-} && $2 != --* ]] || die 2 "$1 needs a value" "read launch/ec2.sh --help"
        read_value "$1" "$2"
        shift
        ;;
      --spot) spot=true ;;
      --keep) keep=true ;;
      --bare) bare=true ;;
      --no-schedule) self_delete=false ;;
      --down-when-done) down_when_done=true ;;
      --detach) detach=true ;;
      --no-fetch) fetch_first=false ;;
      --dry-run) dry_run=true ;;
      --yes | -y) yes=true ;;
      -h | --help) usage; exit ;;
      --) shift && arguments=("$@") && break ;;
      *)
        case $verb in run | sweep | ssh) arguments=("$@") && break ;; esac
        die 2 "unknown argument $1" "read launch/ec2.sh --help"
        ;;
    esac
    shift
  done
  ttl_minutes=$(minutes_of "$ttl") ||
    wrong_value --ttl "$ttl" "5m to 168h" "2h or --ttl 90m"
}

read_value() {
  case $1 in
    --name) name=$2 name_given=true ;;
    --instance) instance=$2 ;;
    --nodes) nodes=$2 ;;
    --region) region=$2 ;;
    --ttl) ttl=$2 ;;
    --key-file) key_file=$2 ;;
    --subnet) subnet=$2 ;;
    --from) caller=$2 ;;
    --ami) image=$2 ;;
    --image) family=$2 ;;
    --price) price=$2 ;;
    --capacity-reservation) reservation=$2 ;;
    --s3) s3=${2%/} ;;
    --results) results=$2 ;;
  esac
  case $1 in
    --name) [[ $2 =~ ^[A-Za-z0-9][A-Za-z0-9-]{0,40}$ ]] ||
      wrong_value "$@" "letters, digits and dashes" anna ;;
    --nodes) [[ $2 =~ ^[1-9][0-9]?$ ]] ||
      wrong_value "$@" "1 to 99" 2 ;;
    --price) [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ ]] ||
      wrong_value "$@" "dollars per hour" 3.912 ;;
    --from) [[ $2 =~ ^[0-9.]+/[0-9]+$ ]] ||
      wrong_value "$@" "addresses as CIDR" 203.0.113.7/32 ;;
    --s3) [[ $2 =~ ^s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._/-]+)?$ ]] ||
      wrong_value "$@" "s3://BUCKET/FOLDER" s3://my-bucket/mnist ;;
    --region) [[ $2 =~ ^[a-z]+(-[a-z]+)+-[0-9]+$ ]] ||
      wrong_value "$@" "a region of AWS" us-east-1 ;;
    --subnet) [[ $2 =~ ^subnet-[0-9a-f]+$ ]] ||
      wrong_value "$@" "the id of a subnet" subnet-0a1b2c3d ;;
    --capacity-reservation) [[ $2 =~ ^cr-[0-9a-f]+$ ]] ||
      wrong_value "$@" "the id of a reservation" cr-0a1b2c3d ;;
    --ami) [[ $2 =~ ^ami-[0-9a-f]+$ ]] ||
      wrong_value "$@" "the id of an image" ami-0a1b2c3d ;;
    --key-file)
      [[ -f $2 && -r $2 ]] ||
        die 3 "cannot read the key $2" \
          "use for example --key-file ~/.ssh/id_ed25519, or leave it out for a new key"
      key_file=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
      ;;
  esac
}

verb=${1:-}
case $verb in
  up | run | sweep | status | logs | fetch | ssh | down | cost) shift ;;
  -h | --help) usage; exit ;;
  *)
    problem="unknown command $verb"
    [[ -n $verb ]] || problem="no command"
    die 2 "$problem" \
      "use up, run, sweep, status, logs, fetch, ssh, down or cost (launch/ec2.sh --help)"
    ;;
esac
# The parts do not run in bash 3, the version of macOS.
((BASH_VERSINFO[0] >= 4)) || die 2 "bash $BASH_VERSION is too old" "install bash 4 or newer"

# shellcheck source=ec2/aws.sh
source "$root/launch/ec2/aws.sh"
# shellcheck source=ec2/instances.sh
source "$root/launch/ec2/instances.sh"
# shellcheck source=ec2/stack.sh
source "$root/launch/ec2/stack.sh"
# shellcheck source=ec2/checks.sh
source "$root/launch/ec2/checks.sh"
# shellcheck source=ec2/nodes.sh
source "$root/launch/ec2/nodes.sh"
# shellcheck source=ec2/status.sh
source "$root/launch/ec2/status.sh"
# shellcheck source=ec2/up.sh
source "$root/launch/ec2/up.sh"
# shellcheck source=ec2/down.sh
source "$root/launch/ec2/down.sh"
# shellcheck source=ec2/run.sh
source "$root/launch/ec2/run.sh"
read_options "$@"
trap 'rm -rf "$scratch"' EXIT
[[ $verb != up || -n $instance ]] ||
  die 2 "--instance: missing" "give --instance one of: $(instance_types | xargs)"
find_region

case $verb in
  run) run_job train ;;
  sweep) run_job sweep ;;
  ssh) ssh_node ;;
  *) "$verb" ;;
esac
