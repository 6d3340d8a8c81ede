# shellcheck shell=bash
# Properties and prices of instance types, from launch/instances.tsv. AWS describes other types. To
# be sourced by ec2.sh.

instance_types() { instance_rows type | awk '{ print $1 }'; }

# find_instance TYPE: fills type, whose keys are the columns of the table: name gpus gpu gib cap
# vcpus gbit efa cuda libtorch ami offered price.
declare -A type
described='' # AWS's line of the type, once it is known
find_instance() {
  local line code=0
  line=$(instance_rows type | name=$1 awk '$1 == ENVIRON["name"]')
  if [[ -z $line ]]; then
    line=$(describe_types "$1") || code=$?
    described=$line
    ((code != 2)) || exit 2
    ((code == 0)) || die 2 "unknown instance type $1: not in launch/instances.tsv$(
      aws_error | sed 's/^/, and AWS: /')" \
      "use one of: $(instance_types | xargs), or add a line to launch/instances.tsv"
  fi
  read -r "type["{name,gpus,gpu,gib,cap,vcpus,gbit,efa,cuda,libtorch,ami,offered,price}"]" \
    <<<"$line"
  # The cost needs no credentials.
  [[ $verb == cost || ${type[offered]} != yes ]] || correct_type
}

# correct_type: AWS's own facts about the type replace those of the table, with a note. Without a
# reply of AWS the table's remain.
correct_type() {
  local key noted=true
  local -A aws
  if [[ $described != "${type[name]} "* ]]; then
    described=$(describe_types "${type[name]}") || return 0
    noted=false
  fi
  read -r "aws["{name,gpus,gpu,gib,cap,vcpus,gbit,efa,rest}"]" <<<"$described"
  for key in gpus gpu gib vcpus gbit efa; do
    [[ ${aws[$key]} != "${type[$key]}" ]] || continue
    # AWS may not name a speed. The table may use fewer EFA interfaces than the type has.
    [[ $key:${aws[$key]} != gbit:- ]] || continue
    [[ $key != efa ]] || ((type[efa] > aws[efa])) || continue
    $noted || say "note: launch/instances.tsv: ${type[name]}: $key (got ${type[$key]}, expected \
${aws[$key]}). AWS's value is used"
    type[$key]=${aws[$key]}
  done
}

# describe_types TYPE...: the lines of launch/instances.tsv for these types, as AWS describes them,
# without a price. Returns 1 if AWS knows none of them, and 2 after an error.
describe_types() {
  local types facts kind cpus machine maker count mib cards efa speed gbit gpu card
  local capability cuda libtorch
  types=$(IFS=, && echo "$*")
  : >"$scratch/error"
  [[ $types =~ ^[a-z0-9.,-]+$ ]] || return 1
  facts=$(ask ec2 describe-instance-types --filters "Name=instance-type,Values=$types" \
    --query 'InstanceTypes[].[InstanceType,VCpuInfo.DefaultVCpus,
    ProcessorInfo.SupportedArchitectures[0],GpuInfo.Gpus[0].Manufacturer,GpuInfo.Gpus[0].Count,
    GpuInfo.Gpus[0].MemoryInfo.SizeInMiB,NetworkInfo.MaximumNetworkCards,
    NetworkInfo.EfaInfo.MaximumEfaInterfaces,NetworkInfo.NetworkCards[0].BaselineBandwidthInGbps,
    NetworkInfo.NetworkPerformance,GpuInfo.Gpus[0].Name]') || return 1
  [[ -n $facts ]] || return 1
  while IFS=$'\t' read -r kind cpus machine maker count mib cards efa gbit speed gpu; do
    [[ $machine == x86_64 ]] ||
      die 2 "--instance: the images are for x86_64 (got $kind, $machine)" \
        "use a type with processors of Intel or AMD"
    [[ $efa =~ ^[0-9]+$ ]] || efa=0
    ((efa <= cards)) || efa=$cards
    gbit=${gbit%.0}
    # "Up to 10 Gigabit" is the burst of the one card. "8x 400 Gigabit" has eight.
    case $speed in
      "Up to "*" Gigabit") speed=${speed#Up to } && gbit+=/${speed% Gigabit} ;;
      *"x "*" Gigabit") speed=${speed% Gigabit} && gbit=$((${speed%x *} * ${speed#*x })) ;;
      *" Gigabit") gbit=${speed% Gigabit} ;;
      *) gbit=- ;;
    esac
    # Only NVIDIA's cards count as GPUs.
    if [[ $maker != NVIDIA ]]; then
      echo "$kind 0 - 0 - $cpus $gbit $efa - - ubuntu yes -"
      continue
    fi
    gpu=${gpu// /-}
    card=$(card_row - "$gpu")
    read -r capability cuda libtorch <<<"${card:-- - -}"
    echo "$kind $count $gpu $((mib / 1024)) $capability $cpus $gbit $efa $cuda $libtorch" \
      "ubuntu-gpu yes -"
  done <<<"$facts"
}

require_offered() {
  [[ ${type[offered]} == yes ]] ||
    die 2 "AWS no longer offers $1" "use --instance ${type[offered]}, which is the nearest one"
}

# image_families: the names that --image accepts.
image_families() { instance_rows ami | awk '$2 !~ /-gpu$/ { print $2 }'; }

# choose_family NAME: sets type[ami] to this family instead of the type's own one.
choose_family() {
  local family=$1
  grep -qxF -- "$1" <(image_families) ||
    die 2 "--image: unknown image (got $1, expected one of: $(image_families | xargs))" \
      "leave out --image, or use an image of this list"
  ((type[gpus] == 0)) || family+=-gpu
  # With --ami only the user and the root device are those of the family.
  [[ -z ${opt[ami]} || -n $(ami_parameter "$family") ]] || family=$1
  [[ -n $(ami_parameter "$family") ]] ||
    die 2 "--image: $1 has no NVIDIA driver, which ${type[name]} needs" \
      "leave out --image, or use a type without GPUs"
  type[ami]=$family
}

# ami_parameter FAMILY, ami_user FAMILY, ami_root FAMILY
ami_field() {
  instance_rows ami | awk -v family="$1" -v field="$2" '$2 == family { print $field }'
}
ami_parameter() { ami_field "$1" 3; }
ami_user() { ami_field "$1" 4; }
ami_root() { ami_field "$1" 5; }

# A node in words: "4 x A10G (24 GiB, sm_86)" or "no GPU, 16 vCPUs".
instance_words() {
  if ((type[gpus])); then
    local code=", sm_${type[cap]/./}"
    [[ ${type[cap]} != - ]] || code=
    echo "${type[gpus]} x ${type[gpu]} (${type[gib]} GiB$code), ${type[vcpus]} vCPUs"
  else
    echo "no GPU, ${type[vcpus]} vCPUs"
  fi
}

# True if launch/setup.sh --cuda installs a LibTorch with code for the type's GPUs.
gpu_is_supported() {
  [[ ${type[cap]} != - ]] && in_range "$wheel_cuda" "${type[cuda]}" &&
    in_range "$wheel_torch" "${type[libtorch]}"
}

# True if ranks run on GPUs. The set-up of the nodes fills stack[gpu_trouble].
uses_gpus() { ((type[gpus])) && gpu_is_supported && [[ -z ${stack[gpu_trouble]} ]]; }

# calculate EXPRESSION [FORMAT]: awk's arithmetic, because bash has no fractions.
calculate() { awk "BEGIN { printf \"${2:-%.2f}\", ($1) }"; }

# quota_of TYPE SPOT: the code of the service quota that counts this type's vCPUs, the first letters
# of all types it counts, its name. "-" for families that are of no use here.
quota_of() {
  case $1:$2 in
    dl* | f[0-9]* | inf* | mac* | trn* | u* | vt*) echo "- - -" ;;
    hpc*) echo "L-F7808C92 hpc Running On-Demand HPC instances" ;;
    x*:true) echo "L-E3A00192 x All X Spot Instance Requests" ;;
    x*) echo "L-7295265B x Running On-Demand X instances" ;;
    p5*:true) echo "L-C4BD4855 p5 All P5 Spot Instance Requests" ;;
    p*:true) echo "L-7212CCBC p All P4, P3 and P2 Spot Instance Requests" ;;
    p*) echo "L-417A185B p Running On-Demand P instances" ;;
    g*:true) echo "L-3819A6DF g,vt All G and VT Spot Instance Requests" ;;
    g*) echo "L-DB2E81BA g,vt Running On-Demand G and VT instances" ;;
    *:true) echo "L-34B43A08 a,c,d,h,i,m,r,t,z All Standard Spot Instance Requests" ;;
    *) echo "L-1216C47A a,c,d,h,i,m,r,t,z Running On-Demand Standard instances" ;;
  esac
}

# minutes_of TTL: 2h, 90m, 1h30m, or plain minutes.
minutes_of() {
  local minutes
  [[ $1 =~ ^(([0-9]{1,3})h)?(([0-9]{1,5})m?)?$ && -n $1 ]] || return 1
  minutes=$((10#${BASH_REMATCH[2]:-0} * 60 + 10#${BASH_REMATCH[4]:-0}))
  ((minutes >= 5 && minutes <= 7 * 24 * 60)) && echo "$minutes"
}

# clock MINUTES: 125 -> 2:05
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }
now() { printf '%(%s)T' -1; }
