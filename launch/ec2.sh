#!/usr/bin/env bash
# A cluster of EC2 instances: up, train, results back, down. One CloudFormation stack is one
# cluster. AWS keeps its state.
# shellcheck source-path=SCRIPTDIR/..
set -euo pipefail
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

verb=${1:-}
case $verb in
  up | run | sweep | status | logs | fetch | ssh | down | cost) shift ;;
  -h | --help) usage; exit ;;
  *)
    problem=${verb:+unknown command $verb}
    die 2 "${problem:-no command}" \
      "use up, run, sweep, status, logs, fetch, ssh, down or cost (launch/ec2.sh --help)"
    ;;
esac
# The parts do not run in bash 3, the version of macOS.
((BASH_VERSINFO[0] >= 4)) || die 2 "bash $BASH_VERSION is too old" "install bash 4 or newer"

# The options, their defaults and meanings. The functions in parentheses replace empty values.
declare -A opt=(
  [name]=main               # the cluster
  [name_given]=false        # true with --name
  [instance]=''             # a type of launch/instances.tsv
  [nodes]=1                 # number of nodes
  [region]=''               # default: the AWS CLI's (find_region)
  [spot]=false              # spot instances
  [ttl]=2h                  # lifetime of the nodes, after read_options in minutes
  [key-file]=''             # ssh key. Default: a new one (make_key)
  [subnet]=''               # default: one of the default network
  [from]=''                 # addresses that may use ssh. Default: this machine's (find_caller)
  [image]=''                # family of images. Default: the instance type's
  [ami]=''                  # id of an image. Default: the newest of the family (find_image)
  [capacity-reservation]='' # id of a reservation
  [down-when-done]=false    # delete the cluster after the job
  [price]=''                # dollars per node and hour. Default: the table's (find_price)
  [s3]=''                   # folder of a bucket, for results
  [keep]=false              # keep nodes whose set-up failed
  [no-schedule]=false       # the stack does not delete itself
  [bare]=false              # no set-up
  [results]=runs            # folder for results
  [detach]=false            # do not follow the job
  [no-fetch]=false          # do not copy results before the deletion
  [dry-run]=false           # print the actions, change nothing
  [yes]=false               # no confirmation
)
arguments=() # for mnist-dist or ssh

read_options() {
  local minutes
  while (($#)); do
    case $1 in
      --name | --instance | --nodes | --region | --ttl | --key-file | --subnet | --from | --ami | \
        --image | --price | --s3 | --results | --capacity-reservation)
        [[ -n ${2:-} && $2 != --* ]] || die 2 "$1 needs a value" "read launch/ec2.sh --help"
        check_value "$1" "$2"
        opt[${1#--}]=$2
        [[ $1 != --name ]] || opt[name_given]=true
        shift
        ;;
      --spot | --keep | --bare | --no-schedule | --down-when-done | --detach | --no-fetch | \
        --dry-run) opt[${1#--}]=true ;;
      --yes | -y) opt[yes]=true ;;
      -h | --help) usage; exit ;;
      --) shift && arguments=("$@") && break ;;
      *)
        case $verb in run | sweep | ssh) arguments=("$@") && break ;; esac
        die 2 "unknown argument $1" "read launch/ec2.sh --help"
        ;;
    esac
    shift
  done
  minutes=$(minutes_of "${opt[ttl]}") ||
    wrong_value --ttl "${opt[ttl]}" "5m to 168h" "2h or --ttl 90m"
  opt[ttl]=$minutes opt[s3]=${opt[s3]%/}
  [[ -z ${opt[key-file]} ]] ||
    opt[key-file]=$(cd "$(dirname "${opt[key-file]}")" && pwd)/$(basename "${opt[key-file]}")
}

check_value() {
  case $1 in
    --name) must_be "$@" '^[A-Za-z0-9][A-Za-z0-9-]{0,40}$' "letters, digits and dashes" anna ;;
    --nodes) must_be "$@" '^[1-9][0-9]?$' "1 to 99" 2 ;;
    --price) must_be "$@" '^[0-9]+(\.[0-9]+)?$' "dollars per hour" 3.912 ;;
    --from) must_be "$@" '^[0-9.]+/[0-9]+$' "addresses as CIDR" 203.0.113.7/32 ;;
    --s3) must_be "$@" '^s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._/-]+)?$' s3://BUCKET/FOLDER \
      s3://my-bucket/mnist ;;
    --region) must_be "$@" '^[a-z]+(-[a-z]+)+-[0-9]+$' "a region of AWS" us-east-1 ;;
    --subnet) must_be "$@" '^subnet-[0-9a-f]+$' "the id of a subnet" subnet-0a1b2c3d ;;
    --capacity-reservation) must_be "$@" '^cr-[0-9a-f]+$' "the id of a reservation" cr-0a1b2c3d ;;
    --ami) must_be "$@" '^ami-[0-9a-f]+$' "the id of an image" ami-0a1b2c3d ;;
    --key-file) [[ -f $2 && -r $2 ]] || die 3 "cannot read the key $2" \
      "use for example --key-file ~/.ssh/id_ed25519, or leave it out for a new key" ;;
  esac
}

# must_be OPTION VALUE PATTERN EXPECTED EXAMPLE
must_be() { [[ $2 =~ $3 ]] || wrong_value "$1" "$2" "$4" "$5"; }

source "$root/launch/ec2/aws.sh"
source "$root/launch/ec2/instances.sh"
source "$root/launch/ec2/stack.sh"
source "$root/launch/ec2/checks.sh"
source "$root/launch/ec2/nodes.sh"
source "$root/launch/ec2/status.sh"
source "$root/launch/ec2/up.sh"
source "$root/launch/ec2/down.sh"
source "$root/launch/ec2/run.sh"
read_options "$@"
trap 'rm -rf "$scratch"' EXIT
[[ $verb != up || -n ${opt[instance]} ]] ||
  die 2 "--instance: missing" "give --instance one of: $(instance_types | xargs)"
find_region

case $verb in
  up) up ;;
  run) run_job train ;;
  sweep) run_job sweep ;;
  status) status ;;
  logs) logs ;;
  fetch) fetch ;;
  ssh) ssh_node ;;
  down) down ;;
  cost) cost ;;
esac
