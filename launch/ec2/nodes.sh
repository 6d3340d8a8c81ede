# shellcheck shell=bash
# The nodes by ssh: set-up, code, results. To be sourced by ec2.sh.

state_folder() { echo "${XDG_STATE_HOME:-$HOME/.local/state}/mnist-dist/ec2/${opt[region]}/$1"; }

# ssh's options as a file, because rsync splits a command at blanks. A host is trusted at the first
# connection, only within this cluster.
ssh_config() {
  local folder
  folder=$(state_folder "${opt[name]}")
  if [[ ! -e $folder/ssh_config ]]; then
    mkdir -p "$folder" && chmod 700 "$folder"
    cat >"$folder/ssh_config" <<CONFIG
User ${stack[user]}
IdentityFile "${stack[key]}"
IdentitiesOnly yes
UserKnownHostsFile "$folder/known_hosts"
StrictHostKeyChecking accept-new
BatchMode yes
ConnectTimeout 10
ServerAliveInterval 15
ServerAliveCountMax 4
LogLevel ERROR
CONFIG
  fi
  echo "$folder/ssh_config"
}

# on ADDRESS COMMAND...: in the code's folder there.
on() { ssh -F "$(ssh_config)" "$1" "cd mnist-dist && ${*:2}" </dev/null; }
on_head() { on "${stack[head]}" "$@"; }
head_answers() { ssh -F "$(ssh_config)" "${stack[head]}" true </dev/null 2>/dev/null; }
copy() { rsync -az --partial-dir=.rsync-partial -e "ssh -F '$(ssh_config)'" "$@"; }

require_nodes() {
  require_stack "create it with launch/ec2.sh up --name ${opt[name]} --instance TYPE"
  read_nodes
  [[ -n ${stack[head]} ]] || die 4 "no node of cluster ${opt[name]} is running" \
    "check launch/ec2.sh status --name ${opt[name]}, then run down and up again"
  command -v rsync >/dev/null ||
    die 2 "rsync is not installed" "install it, because it copies code and results"
}

# set_up_nodes: prepares everything for launch/ec2.sh run. Each run repeats it, which is quick if
# nothing changed.
set_up_nodes() {
  require_nodes
  wait_for_ssh || return
  connect_nodes || return
  bring_code
}

# install_rsync: on the nodes without it, all at once. Debian's images have none, and it brings the
# code.
install_rsync() {
  local address addresses=() pids=() i
  while read -r _ _ _ address _; do
    addresses+=("$address")
    ssh -F "$(ssh_config)" "$address" 'command -v rsync >/dev/null ||
      { sudo apt-get -q update && sudo apt-get -q -y -o DPkg::Lock::Timeout=300 install rsync; }' \
      </dev/null >"$scratch/rsync.$address" 2>&1 &
    pids+=($!)
  done <"$scratch/nodes"
  for i in "${!pids[@]}"; do
    wait "${pids[i]}" || {
      tail -n 3 "$scratch/rsync.${addresses[i]}" >&2
      say "node ${addresses[i]}: rsync could not be installed"
      return 1
    }
  done
}

wait_for_ssh() {
  local address i
  say "waiting for ssh"
  while read -r _ _ _ address _; do
    for ((i = 0; i < 60; i++)); do
      ! ssh -F "$(ssh_config)" \
        "$address" 'cloud-init status --wait >/dev/null 2>&1; mkdir -p mnist-dist' </dev/null \
        2>"$scratch/ssh" || continue 2
      pause "$poll_seconds"
    done
    say "$(tail -n 1 "$scratch/ssh")"
    say "error: no ssh to $address"
    return 1
  done <"$scratch/nodes"
}

# connect_nodes: creates a key on the head for all nodes, so that no local key leaves this machine.
connect_nodes() {
  local public address
  public=$(ssh -F "$(ssh_config)" "${stack[head]}" '
    mkdir -p ~/.ssh && cd ~/.ssh
    [ -e id_ed25519 ] || ssh-keygen -q -t ed25519 -N "" -C mnist-dist-head -f id_ed25519
    grep -qs accept-new config ||
      printf "StrictHostKeyChecking accept-new\nLogLevel ERROR\n" >>config
    cat id_ed25519.pub' </dev/null) || return
  while read -r _ _ _ address _; do
    ssh -F "$(ssh_config)" "$address" \
      "mkdir -p ~/.ssh; grep -qsF '$public' ~/.ssh/authorized_keys || echo '$public' \
>>~/.ssh/authorized_keys" </dev/null || return
  done <"$scratch/nodes"
}

# bring_code: copies this checkout to the head, installs packages on all nodes, builds on the head,
# and copies the built folder to the others, so that all nodes run the same bytes.
bring_code() {
  local flag='' others
  say "copying the code, installing, building (some minutes the first time)"
  install_rsync || return
  copy --delete --exclude=/.git --exclude='/build*' --exclude=/runs --exclude=/.venv "$root/" \
    "${stack[head]}:mnist-dist/" || return
  others=$(awk 'NR > 1 { print $5 }' "$scratch/nodes" | xargs)
  find_instance "${stack[instance]}"
  ! uses_gpus || flag=--cuda
  on_head "launch/ec2/node/install.sh '$others' $flag" >"$scratch/install" 2>&1 || {
    tail -n 20 "$scratch/install" >&2
    say "error: the set-up failed on a node"
    return 1
  }
  stack[gpu_trouble]=$(sed -n 's/^GPUs stay idle: //p' "$scratch/install")
  [[ -z ${stack[gpu_trouble]} ]] ||
    say "warning: the GPUs cost money and stay idle: ${stack[gpu_trouble]}"
  # Ubuntu 24.04 has no package of the AWS CLI, and Debian no snap.
  [[ -z ${stack[s3]} ]] ||
    on_head "command -v aws >/dev/null || sudo snap install aws-cli --classic >/dev/null ||
      sudo apt-get -q -y install awscli >/dev/null"
}

# fetch_results: copies new files below runs/ on the nodes to the folder of --results. Seeds of a
# sweep leave their weights on the node that trained them. The head is last, because its tables are
# complete.
fetch_results() {
  local address
  mkdir -p "${opt[results]}"
  while read -r _ _ _ address _; do
    [[ $address != "${stack[head]}" ]] || continue
    copy "$address:mnist-dist/runs/" "${opt[results]}/" ||
      say "warning: the results of node $address could not be copied"
  done <"$scratch/nodes"
  copy "${stack[head]}:mnist-dist/runs/" "${opt[results]}/"
}

fetch() {
  if ${opt[dry-run]}; then
    say "dry run: fetch would copy runs/ of cluster ${opt[name]}'s head to ${opt[results]}"
    return
  fi
  local bucket=${opt[s3]} # An existing cluster's own one, or none, replaces it.
  if read_stack "${opt[name]}" && bucket=${stack[s3]} && read_nodes && [[ -n ${stack[head]} ]]; then
    require_nodes
    fetch_results ||
      die 3 "the results could not be copied" "check launch/ec2.sh status --name ${opt[name]}"
    say "results of cluster ${opt[name]} are in ${opt[results]}"
  elif [[ -n $bucket ]]; then
    # The cluster may be long gone.
    aws s3 sync --region "${opt[region]}" --only-show-errors "$bucket" "${opt[results]}" ||
      die 3 "the results could not be copied from $bucket" "check it with aws s3 ls $bucket/"
    say "results of $bucket are in ${opt[results]}"
  else
    die 2 "no node of cluster ${opt[name]} is running in ${opt[region]}" \
      "use the files in ${opt[results]}, or copy from a bucket with --s3 s3://BUCKET/FOLDER"
  fi
}

ssh_node() {
  require_nodes
  local address=${stack[head]}
  if [[ ${arguments[0]:-} =~ ^[0-9]+$ ]]; then
    address=$(awk -v number="${arguments[0]}" '$1 == number { print $4 }' "$scratch/nodes")
    [[ -n $address ]] || die 2 "node ${arguments[0]} is not running" \
      "list the nodes with launch/ec2.sh status --name ${opt[name]}"
    arguments=("${arguments[@]:1}")
  fi
  if ${opt[dry-run]}; then
    echo "ssh -F $(ssh_config) $address ${arguments[*]}"
  else
    ssh -F "$(ssh_config)" "$address" "${arguments[@]}"
  fi
}
