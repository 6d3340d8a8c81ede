# shellcheck shell=bash
# The checks before anything costs money: owner, address, image, zones, quota, price. They fill plan
# and empty options. To be sourced by ec2.sh.

declare -A plan=([owner]='' [root_device]='' [block]=false [price_source]='')

# find_owner: the caller's ARN. Its last part is the tag with the cluster's owner.
find_owner() { plan[owner]=$(need sts get-caller-identity --query Arn) || exit; }

# find_caller: the one address that may use ssh.
find_caller() {
  [[ -z ${opt[from]} ]] || return 0
  local address
  address=$(curl -fsS --max-time 10 \
    "${MNIST_DIST_ADDRESS_URL:-https://checkip.amazonaws.com}" 2>/dev/null | tr -d '[:space:]') ||
    true
  [[ $address =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    die 4 "this machine's public IPv4 address is unknown" \
      "give the addresses that may use ssh, for example --from 203.0.113.7/32"
  opt[from]=$address/32
}

# find_image: the image's id, and the name of its root device. With a different name, the disk of
# the template would be a second one beside the image's own small one.
find_image() {
  local parameter
  parameter=$(ami_parameter "${type[ami]}")
  [[ -n ${opt[ami]} ]] ||
    opt[ami]=$(ask ssm get-parameter --name "$parameter" --query Parameter.Value) ||
    die 4 "no image in SSM parameter $parameter: $(aws_error)" \
      "use a different --image, or --ami ami-... (Ubuntu 24.04$(
        ((type[gpus])) && echo ", NVIDIA driver"))"
  plan[root_device]=$(ask ec2 describe-images --image-ids "${opt[ami]}" \
    --query 'Images[0].RootDeviceName') || {
    [[ $(aws_error) != *InvalidAMIID* ]] ||
      die 2 "no image ${opt[ami]} in ${opt[region]}: $(aws_error)" "correct --ami, or use --image"
    plan[root_device]=
  }
  [[ ${plan[root_device]} == /dev/* ]] || plan[root_device]=$(ami_root "${type[ami]}")
}

# find_places: lines "zone subnet vpc" where the instance type is offered, in $scratch/places.
find_places() {
  local filter=Name=default-for-az,Values=true
  [[ -z ${opt[subnet]} ]] || filter=Name=subnet-id,Values=${opt[subnet]}
  need ec2 describe-instance-type-offerings --location-type availability-zone \
    --filters "Name=instance-type,Values=${opt[instance]}" \
    --query 'InstanceTypeOfferings[].Location' | tr '\t' '\n' >"$scratch/zones" || exit
  [[ -s $scratch/zones ]] ||
    die 4 "${opt[instance]} is offered in no zone of ${opt[region]}" \
      "use --region us-east-1 or us-west-2, which have most types, or a different --instance"
  need ec2 describe-subnets --filters "$filter" \
    --query 'Subnets[].[AvailabilityZone,SubnetId,VpcId]' | tr '\t' ' ' |
    sort >"$scratch/subnets" || exit
  if [[ ! -s $scratch/subnets ]]; then
    [[ -z ${opt[subnet]} ]] ||
      die 4 "no subnet ${opt[subnet]} in ${opt[region]}" "check --subnet and --region"
    die 4 "${opt[region]} has no default network" \
      "give --subnet subnet-..., or run aws ec2 create-default-vpc --region ${opt[region]}"
  fi
  awk 'NR == FNR { offered[$1]; next } $1 in offered' "$scratch/zones" \
    "$scratch/subnets" >"$scratch/places"
  [[ -s $scratch/places ]] ||
    die 4 "${opt[instance]} is offered only in $(xargs <"$scratch/zones"), where there is no \
subnet" "give --subnet one in such a zone"
}

# seconds_of TIME: seconds since 1970 of AWS's times in UTC, 2026-11-28T11:30:00 and more. The date
# program of macOS cannot read them.
seconds_of() {
  local year=${1:0:4} month=$((10#${1:5:2})) day=$((10#${1:8:2})) days
  ((month > 2)) || { year=$((year - 1)) month=$((month + 12)); } # a leap day ends the year
  days=$((365 * year + year / 4 - year / 100 + year / 400))
  days=$((days + (153 * (month - 3) + 2) / 5 + day - 719469))
  echo $(((days * 24 + 10#${1:11:2}) * 3600 + 10#${1:14:2} * 60 + 10#${1:17:2}))
}

# end_with_block END: shortens the TTL, at whose end a job writes its checkpoint, to the end of a
# Capacity Block. AWS ends the instances from 30 minutes before it. The TTL counts from a node's
# start.
end_with_block() {
  local left reservation=${opt[capacity-reservation]}
  [[ $1 == 20[0-9][0-9]-* ]] || return 0
  left=$((($(seconds_of "$1") - $(now)) / 60 - 30 - boot_minutes))
  ((left >= 5)) || die 4 "$reservation ends too soon (at $1, its instances 30 minutes before)" \
    "use a different --capacity-reservation"
  ((opt[ttl] > left)) || return 0
  opt[ttl]=$left
  say "note: $reservation ends at $1, so the nodes end after $(clock "$left") h"
}

# check_reservation: the reservation is for this type, has room, and decides about the zone.
check_reservation() {
  local reserved zone state free kind end reservation=${opt[capacity-reservation]}
  [[ -n $reservation ]] || return 0
  ! ${opt[spot]} ||
    die 2 "--spot and --capacity-reservation exclude each other" "leave out one of them"
  read -r reserved zone state free kind end < <(need ec2 describe-capacity-reservations \
    --capacity-reservation-ids "$reservation" --query 'CapacityReservations[].[InstanceType,
    AvailabilityZone,State,AvailableInstanceCount,ReservationType,EndDate]') || true
  [[ -n ${reserved:-} ]] || die 4 "no capacity reservation $reservation in ${opt[region]}" \
    "list them with aws ec2 describe-capacity-reservations --region ${opt[region]}"
  [[ $reserved == "${opt[instance]}" ]] ||
    die 2 "--instance: $reservation is for a different type (got ${opt[instance]}, expected \
$reserved)" "use --instance $reserved"
  [[ $state == active ]] || die 4 "$reservation is not active (got $state)" \
    "wait for its start time (aws ec2 describe-capacity-reservations)"
  ((free >= opt[nodes])) || die 4 \
    "--nodes: too few free instances in $reservation (got ${opt[nodes]}, expected at most $free)" \
    "use --nodes $free, or extend the reservation"
  [[ $kind != capacity-block ]] || { plan[block]=true && end_with_block "${end:-}"; }
  awk -v zone="$zone" '$1 == zone' "$scratch/places" >"$scratch/places.reserved"
  mv "$scratch/places.reserved" "$scratch/places"
  [[ -s $scratch/places ]] || die 4 "$reservation is in $zone, where there is no subnet" \
    "give one of $zone with --subnet"
}

# check_quota: AWS counts the vCPUs of a family that run at the same time in a region.
check_quota() {
  local code letters title limit used wanted=$((opt[nodes] * type[vcpus]))
  read -r code letters title <<<"$(quota_of "${opt[instance]}" "${opt[spot]}")"
  if [[ $code == - ]]; then
    say "note: the service quota of ${opt[instance]} is not checked"
    return
  fi
  if ! limit=$(ask service-quotas get-service-quota --service-code ec2 --quota-code "$code" \
    --query Quota.Value); then
    say "note: the service quota was not checked: $(aws_error)"
    return
  fi
  used=$(need ec2 describe-instances --filters Name=instance-state-name,Values=pending,running \
    --query "Reservations[].Instances[].[InstanceType,CpuOptions.CoreCount,\
CpuOptions.ThreadsPerCore,InstanceLifecycle]" |
    used_vcpus "$letters" "${opt[spot]}") || exit
  (($(calculate "$limit >= $used + $wanted" %d))) || die 4 \
    "the quota \"$title\" is ${limit%.*} vCPUs in ${opt[region]}, $used of them in use \
(${opt[nodes]} x ${opt[instance]} needs $wanted)" \
    "request more (it can take days): aws service-quotas request-service-quota-increase --region \
${opt[region]} --service-code ec2 --quota-code $code --desired-value $((used + wanted))"
}

# used_vcpus LETTERS SPOT: the sum over lines "type cores threads lifecycle" of a family. p matches
# p4d but not the letter in a different family.
used_vcpus() {
  awk -v letters="$1" -v spot="$2" '
    BEGIN { n = split(letters, letter, ","); for (i = 1; i <= n; i++) family[letter[i]] }
    { match($1, /^[a-z]+/); name = substr($1, 1, RLENGTH); first = substr(name, 1, 1) }
    ($4 == "spot") == (spot == "true") && (name in family ||
      (first in family && name !~ /^(hpc|vt|inf|trn|dl)$/)) { sum += $2 * $3 }
    END { print sum + 0 }'
}

# find_price: dollars per node and hour, and their source.
find_price() {
  plan[price_source]="list price of 2026-11 for us-east-1, check before you pay"
  if [[ -n ${opt[price]} ]]; then
    plan[price_source]="from --price"
  elif ${plan[block]}; then
    opt[price]=0 plan[price_source]="paid with the Capacity Block"
  elif ${opt[spot]}; then
    # The spot price changes, but never exceeds the list price.
    opt[price]=$(ask ec2 describe-spot-price-history --instance-types "${opt[instance]}" \
      --product-descriptions "Linux/UNIX" --start-time "$(now)" \
      --query 'SpotPriceHistory[].SpotPrice' | tr '\t' '\n' | sort -g | tail -n 1) || opt[price]=
    plan[price_source]="the most expensive zone's spot price now"
    [[ -n ${opt[price]} && ${opt[price]} != None ]] ||
      { opt[price]=${type[price]} plan[price_source]="list price, spot usually costs less"; }
  else
    opt[price]=${type[price]}
  fi
  [[ ${opt[price]} != - ]] || die 2 \
    "--price: missing, and launch/instances.tsv has none for ${opt[instance]}" \
    "give --price with the dollars per hour of https://aws.amazon.com/ec2/pricing/on-demand"
}

# warn_idle_gpus: before anything costs money.
warn_idle_gpus() {
  if ((type[gpus])) && [[ ${type[cap]} == - ]]; then
    say "warning: the ${type[gpu]} is not in launch/instances.tsv: the ranks run on the cores, and \
the GPUs cost money and idle"
    say "hint: add a line for the card with its CUDA and LibTorch to launch/instances.tsv"
  elif ((type[gpus])) && ! gpu_is_supported; then
    say "warning: a ${type[gpu]} needs LibTorch $(range_words "${type[libtorch]}") built for CUDA \
$(range_words "${type[cuda]}"), and launch/setup.sh installs $wheel_torch for CUDA $wheel_cuda: \
the GPUs would cost money and idle"
    say "hint: use --instance g4dn.xlarge, or a different type with a supported card. --instance \
c7a.4xlarge trains on CPUs"
  fi
}

show_plan() {
  local market="on demand" hourly="${opt[nodes]} * ${opt[price]}"
  ! ${opt[spot]} || market=spot
  [[ -z ${opt[capacity-reservation]} ]] || market=reserved
  say "cluster ${opt[name]}: ${opt[nodes]} x ${opt[instance]} ($(instance_words)) in \
${opt[region]}, $market, ${type[gbit]} Gbit/s\
$( ((type[efa])) && echo ", EFA x ${type[efa]}")"
  say "price:   \$$(calculate "$hourly") per hour (${plan[price_source]}), and some cents for \
disks and addresses"
  say "image:   ${type[ami]} (${opt[ami]})"
  say "ends:    by itself after $(clock "${opt[ttl]}") h, so at most \
\$$(calculate "$hourly * ${opt[ttl]} / 60"), or with launch/ec2.sh down --name ${opt[name]}"
  say "zones:   $(awk '{ print $1 }' "$scratch/places" | xargs), in this order until one has the \
capacity"
  say "ssh:     only from ${opt[from]}"
  warn_idle_gpus
}

confirm() {
  local answer
  ! ${opt[yes]} || return 0
  [[ -t 0 ]] || die 2 "stdin: not a terminal, so the price cannot be confirmed" \
    "confirm it with --yes"
  read -r -p "Start it? Type yes: " answer || answer=
  [[ $answer == yes ]] || die 2 "not started, nothing was created" "type yes to start it"
}
