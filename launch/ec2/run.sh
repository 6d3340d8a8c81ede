# shellcheck shell=bash
# launch/ec2.sh run, sweep, logs: a job on the head, followed from here. Its results are copied
# while it runs. To be sourced by ec2.sh.

# Seconds between checkpoints, and between copies of results: a cluster that is lost without a
# notice loses at most a minute.
checkpoint_seconds=20
copy_seconds=${MNIST_DIST_COPY_SECONDS:-20}

# slots_per_node: one rank per GPU, or one per core (two vCPUs) if the GPUs cannot be used. 0
# without GPUs: launch/hosts.sh counts the cores.
slots_per_node() {
  if ((type[gpus] == 0)); then
    echo 0
  elif uses_gpus; then
    echo "${type[gpus]}"
  else
    echo $((type[vcpus] / 2))
  fi
}

# quoted_lines: the lines of stdin as words for a shell. xargs of macOS has no -d.
quoted_lines() {
  local line
  while IFS= read -r line; do printf '%q ' "$line"; done
}

# job_environment: NAME=VALUE, for the network that NCCL uses on this instance type. launch/hosts.sh
# forwards it to the ranks.
job_environment() {
  ((type[gpus])) || return 0
  # The build for GPUs. launch/preflight.sh rejects a node with fewer GPUs.
  ! uses_gpus || printf '%s\n' MNIST_DIST_CUDA=on "MNIST_DIST_GPUS=${type[gpus]}"
  # Not through the bridge of a container engine that has the same address everywhere.
  echo "NCCL_SOCKET_IFNAME=^lo,docker0"
  ((type[efa])) || return 0
  # FI_PROVIDER is only for NCCL's plugin: MPI uses TCP and does not open libfabric.
  printf '%s\n' FI_PROVIDER=efa OMPI_MCA_pml=^cm OMPI_MCA_mtl=^ofi OMPI_MCA_btl=^ofi
  # The plugin's folder depends on the version of its installer.
  local folder=/opt/amazon/ofi-nccl/lib
  echo "LD_LIBRARY_PATH=$folder:$folder/x86_64-linux-gnu:/opt/amazon/efa/lib"
  # The cards of p6 have IPv6 addresses as well, over which NCCL cannot start.
  [[ ${type[name]} != p6* ]] || echo "NCCL_SOCKET_FAMILY=AF_INET"
  # GPUs that the network card reads without the CPU: p4d and later.
  [[ ${type[name]} != p[4-9]* ]] || echo "FI_EFA_USE_DEVICE_RDMA=1"
}

# plan_job COMMAND: sets hosts, one line per node, and words, the job's arguments. Prints the number
# of ranks.
plan_job() {
  local slots running layout device=()
  slots=$(slots_per_node)
  hosts=$(awk -v slots="$slots" '{ print $5 (slots > 0 ? " slots=" slots : "") }' "$scratch/nodes")
  running=$(wc -l <<<"$hosts")
  # A rank without a GPU must fail, not train slowly on the CPU.
  if uses_gpus && [[ " ${arguments[*]-} " != *" --device"[\ =]* ]]; then device=(--device cuda); fi
  words=$(printf '%q ' "$1" ${device[@]+"${device[@]}"} ${arguments[@]+"${arguments[@]}"})
  layout="one rank per core"
  ! uses_gpus || layout="$((running * slots)) GPUs, one rank per GPU"
  say "$running of $(count "${stack[nodes]}" node), $layout, at most as many as there are \
$([[ $1 == sweep ]] && echo seeds || echo "shards in the recipe")"
}

run_job() {
  local command=$1 hosts words running
  if ${opt[detach]} && ${opt[down-when-done]}; then
    die 2 "--detach and --down-when-done exclude each other" \
      "leave out --detach, or leave out --down-when-done: the cluster ends after its --ttl"
  fi
  require_nodes
  running=$(wc -l <"$scratch/nodes")
  [[ $command != sweep ]] || ((running <= 1)) || die 2 \
    "sweep: the nodes of cluster ${opt[name]} share no folder (got $running nodes, expected 1)" \
    "start a cluster with --nodes 1 for each part of the seeds, give each sweep its own --seeds \
and --out, and join the results here with mnist-dist merge"
  find_instance "${stack[instance]}"
  [[ " ${arguments[*]-} " == *train.checkpoint_seconds=* ]] ||
    arguments+=(--set "train.checkpoint_seconds=$checkpoint_seconds")
  plan_job "$command"
  if ${opt[dry-run]}; then
    say "dry run: the head ${stack[head]} would run: launch/hosts.sh --hosts (${hosts//$'\n'/, }) \
-- $words"
    job_environment | sed 's/^/  with /' >&2
    return
  fi
  ! job_runs ||
    die 2 "cluster ${opt[name]} is already training" \
      "follow it with launch/ec2.sh logs --name ${opt[name]}, where Ctrl-C stops it"
  { connect_nodes && bring_code; } ||
    die 4 "the nodes could not be set up (see above)" \
      "inspect it with launch/ec2.sh ssh --name ${opt[name]}"
  [[ -z ${stack[gpu_trouble]} ]] || plan_job "$command"
  bring_results "$command"
  printf '%s\n' "$hosts" |
    ssh -F "$(ssh_config)" "${stack[head]}" "cd mnist-dist && launch/ec2/node/job.sh hosts"
  on_head "env $(job_environment | quoted_lines)MNIST_DIST_S3='${stack[s3]}' \
launch/ec2/node/job.sh start -- $words" || exit
  if ${opt[detach]}; then
    say "the job runs. Follow it with launch/ec2.sh logs --name ${opt[name]}"
  else
    follow_job
  fi
}

# bring_results COMMAND: first copies the runs to resume to the cluster: the given one, otherwise
# every unfinished one, or a sweep's folder. Only newer files replace those of the cluster.
bring_results() {
  local resume=false folder='' i
  for i in ${arguments[@]+"${!arguments[@]}"}; do
    case ${arguments[i]} in
      --resume) resume=true ;;
      --run-dir | --out) folder=${arguments[i + 1]:-} ;;
      --run-dir=* | --out=*) folder=${arguments[i]#*=} ;;
    esac
  done
  if [[ -n $folder && $folder != runs/* ]]; then
    die 2 "results are copied back from runs/ only, not from $folder" \
      "use --run-dir runs/NAME, or --out runs/NAME"
  fi
  if [[ $1 == train ]] && ! $resume; then return 0; fi
  [[ -z ${stack[s3]} ]] || on_head "launch/ec2/node/job.sh pull '${stack[s3]}'" ||
    say "warning: nothing could be copied from ${stack[s3]}"
  if [[ -n $folder ]]; then
    [[ ! -d ${opt[results]}/${folder#runs/} ]] ||
      copy --update "${opt[results]}/${folder#runs/}" "${stack[head]}:mnist-dist/runs/"
    return
  fi
  for folder in "${opt[results]}"/*/; do
    if [[ $1 == sweep && -e ${folder}sweep.json ]] ||
      [[ $1 == train && -e ${folder}checkpoint.h5 && ! -e ${folder}summary.json ]]; then
      copy --update "${folder%/}" "${stack[head]}:mnist-dist/runs/"
    fi
  done
}

job_runs() { [[ $(on_head launch/ec2/node/job.sh state 2>/dev/null) == running* ]]; }

stop_job() {
  say "requesting a stop after this step, with a checkpoint"
  on_head "launch/ec2/node/job.sh stop"
}

# follow_job: prints the log, copies results, returns the job's code. Ctrl-C stops the job. A second
# Ctrl-C only stops following it.
follow_job() {
  local tail_pid state signals=0 silent=0 last_copy=$SECONDS
  trap 'signals=$((signals + 1))' INT TERM
  # In a separate process group, so that it prints the end of the job after Ctrl-C.
  set -m
  on_head "launch/ec2/node/job.sh follow" &
  tail_pid=$!
  set +m
  while :; do
    pause "$poll_seconds"
    if ((signals >= 2)); then
      say "not waiting. Follow the job with launch/ec2.sh logs --name ${opt[name]}"
      break
    fi
    if ((signals == 1)) && [[ -z ${asked:-} ]]; then local asked=yes && stop_job; fi
    if state=$(on_head "launch/ec2/node/job.sh state" 2>"$scratch/ssh"); then
      silent=0
      [[ $state == running* ]] || break
    elif ((++silent >= 3)); then
      lost
    fi
    if ((SECONDS - last_copy >= copy_seconds)); then
      fetch_results 2>/dev/null && last_copy=$SECONDS
    fi
  done
  if ((signals < 2)); then
    wait "$tail_pid" || true
  else
    kill "$tail_pid" 2>/dev/null || true
  fi
  local fetched=true
  fetch_results || fetched=false
  $fetched ||
    say "warning: the results could not be copied. Try again with launch/ec2.sh fetch --name \
${opt[name]}"
  say "results are in ${opt[results]}"
  ((signals < 2)) || exit 130
  if ${opt[down-when-done]} && $fetched; then
    (down) || say "warning: the cluster still exists"
  fi
  end_with "$state"
}

# lost: the head is not responding. Prints the state of the nodes and the age of the copied results.
# With --down-when-done, a cluster whose head is gone is deleted. If the head is running, only ssh
# may have failed, and the job may still be running.
lost() {
  local copied head=${stack[head]}
  kill "$tail_pid" 2>/dev/null || true
  copied="results up to $(clock $(((SECONDS - last_copy) / 60))) h ago are in ${opt[results]}"
  read_nodes all
  say "  nodes: $(awk '{ print $2, $3 }' "$scratch/nodes" | xargs)"
  if ${opt[down-when-done]}; then
    if awk -v head="$head" '$3 == "running" && $4 == head { n++ } END { exit !n }' \
      "$scratch/nodes"; then
      say "warning: the cluster is not deleted, because the job may still be running"
    else
      say "warning: newer results could not be copied, $copied"
      (down) || say "warning: the cluster still exists"
    fi
  fi
  die 4 "the head of cluster ${opt[name]} is not responding ($copied)" \
    "check launch/ec2.sh status, or resume with launch/ec2.sh run --name OTHER --resume"
}

# end_with STATE: "exited CODE REASON"
end_with() {
  local code reason
  read -r _ code reason <<<"$1"
  [[ $code =~ ^[0-9]+$ ]] ||
    die 4 "the job ended without an exit code: $1" \
      "inspect it with launch/ec2.sh ssh --name ${opt[name]}"
  if [[ -n $reason ]]; then
    say "stopped with a checkpoint: $reason"
    # The head had the notice: without it, the next node is the head.
    if [[ $reason == "spot interruption"* ]] && ((stack[nodes] > 1)) &&
      ! ${opt[down-when-done]}; then
      say "continue on the other nodes when the head has ended: launch/ec2.sh run --name \
${opt[name]} --resume"
    fi
    say "continue on any number of nodes: launch/ec2.sh up --name OTHER ..., then \
launch/ec2.sh run --name OTHER --resume"
  fi
  exit "$code"
}

logs() {
  require_nodes
  if ${opt[dry-run]}; then
    say "dry run: logs would follow the job on ${stack[head]}"
  elif job_runs; then
    follow_job
  else
    on_head "launch/ec2/node/job.sh follow"
  fi
}
