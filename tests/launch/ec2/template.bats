#!/usr/bin/env bats
# The CloudFormation template: cfn-lint's result for every instance type, and what a node's
# start does, run here with fakes.

load aws

setup() {
  need_tools
  cd "$BATS_TEST_TMPDIR" || return
  # shellcheck disable=SC1091,SC2034  # as ec2.sh does it
  root=$repository && source "$repository/launch/ec2/stack.sh"
}

@test "cfn-lint finds nothing: in the file, with several nodes, with EFA cards" {
  render_template 1 1 >one.yaml
  diff "$repository/launch/ec2/cluster.yaml" one.yaml | grep -v '^[<0-9]' | grep . && return 1
  render_template 3 4 >p4d.yaml
  render_template 2 32 >p5.yaml
  render_template 99 32 >largest.yaml
  run "$tools/bin/cfn-lint" \
    "$repository/launch/ec2/cluster.yaml" one.yaml p4d.yaml p5.yaml largest.yaml
  [ "$status" -eq 0 ]
}

@test "a node block and an address for each node, a card block for each further card" {
  render_template 3 4 >p4d.yaml
  [ "$(grep -cE '^  Node[123]:' p4d.yaml)" -eq 3 ]
  [ "$(grep -cE '^  Address[123]:' p4d.yaml)" -eq 3 ]
  # AWS rejects an address by instance where there are several interfaces.
  [ "$(grep -c 'InstanceId: !Ref' p4d.yaml)" -eq 0 ]
  [ "$(grep -c 'DependsOn: Address2' p4d.yaml)" -eq 1 ]
  render_template 3 1 >small.yaml
  [ "$(grep -cE '^  Address' small.yaml)" -eq 0 ]
  grep -q 'Key: Name, Value: !Sub "mnist-dist-${Cluster}-3"' p4d.yaml
  grep -q 'mnist-dist:node", Value: "3"' p4d.yaml
  [ "$(grep -c 'InterfaceType: efa-only' p4d.yaml)" -eq 3 ]
  grep -q 'NetworkCardIndex: 3' p4d.yaml
  # The largest cluster is still a template that AWS takes in one call.
  (($(render_template 99 32 | wc -c) <= 51200))
  (($(render_template 99 1 | wc -c) <= 51200))
}

@test "the wait for the TTL's report starts when all instances run, and suits large ones" {
  render_template 3 1 | sed -n '/^  Armed:/,/^  Node1/p' >armed
  grep -qF 'DependsOn: [Node1, Node2, Node3]' armed
  (($(sed -n 's/.*Timeout: "\([0-9]*\)".*/\1/p' armed) >= 1800))
  local minutes
  minutes=$(sed -n 's/.*--timeout-in-minutes \([0-9]*\).*/\1/p' "$repository/launch/ec2/up.sh")
  ((minutes * 60 > 1800))
}

@test "the role of the stack's own deletion has the rights that AWS lists for each resource" {
  run "$tools/bin/python" - "$repository/launch/ec2/cluster.yaml" <<'PYTHON'
import fnmatch, json, pathlib, sys
import cfnlint.decode.cfn_yaml, cfnlint.data
template = cfnlint.decode.cfn_yaml.load(sys.argv[1])
resources = template["Resources"]
schemas = pathlib.Path(list(cfnlint.data.__path__)[0]) / "schemas"
names = json.loads((schemas / "providers" / "us-east-1.json").read_text())
document = resources["Ender"]["Properties"]["Policies"][0]["PolicyDocument"]
allowed = set()
for statement in document["Statement"]:
    statement = statement["Fn::If"][1] if "Fn::If" in statement else statement
    actions = statement["Action"]
    allowed |= {actions} if isinstance(actions, str) else set(actions)
    # Only reading is allowed everywhere.
    if statement["Resource"] == "*":
        assert all(action.split(":")[1].startswith(("Describe", "List")) for action in actions)
assert not any(action.endswith(":*") for action in allowed), allowed
types = {resource["Type"] for name, resource in resources.items() if name != "Ender"}
types |= {"AWS::EC2::EIP"}
needed = set()
for kind in types:
    schema = json.loads((schemas / "resources" / f"{names[kind]}.json").read_text())
    needed |= set(schema.get("handlers", {}).get("delete", {}).get("permissions", []))
assert len(needed) > 20
print(*sorted(right for right in needed
              if not any(fnmatch.fnmatch(right, pattern) for pattern in allowed)))
PYTHON
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "TTL, IMDSv2 and terminate-on-shutdown are in the template" {
  grep -q 'HttpTokens: required' "$repository/launch/ec2/cluster.yaml"
  grep -q 'InstanceInitiatedShutdownBehavior: terminate' "$repository/launch/ec2/cluster.yaml"
  grep -q 'DeleteOnTermination: true' "$repository/launch/ec2/cluster.yaml"
}

# start_node: a node's user data, run with systemd, curl and /etc as fakes.
start_node() {
  sed -n '/Fn::Base64: !Sub |/,/^  Ready:/p' "$repository/launch/ec2/cluster.yaml" | sed '1d;$d' |
    sed 's/^            //' |
    sed "s/\${TtlMinutes}/90/; s|\${Ready}|https://ready.example/?a=1\&b=2|; s|/etc/|$PWD/etc/|g; \
s|/run/|$PWD/run/|g" >start
  mkdir -p bin etc/systemd/system
  printf '#!/bin/bash\necho "systemctl $*" >>calls\n[[ $* != *"%s"* ]]\n' \
    "${1:-never}" >bin/systemctl
  printf '#!/bin/bash\nprintf "%%s\\n" "curl $*" >>calls\n' >bin/curl
  chmod +x bin/*
  run env PATH="$PWD/bin:$PATH" bash start
}

@test "a node's start: the timer is armed for the TTL and only then reported" {
  local before deadline
  before=$(date +%s)
  start_node
  [ "$status" -eq 0 ]
  deadline=$(<etc/mnist-dist/deadline)
  ((deadline >= before + 90 * 60 && deadline <= before + 90 * 60 + 60))
  [ "$(<run/mnist-dist/ttl)" = "$deadline" ]
  [ "$(sed -n 's/^OnCalendar=//p' etc/systemd/system/mnist-dist-ttl.timer)" = \
    "$(date -u -d "@$deadline" '+%Y-%m-%d %H:%M:%S UTC')" ]
  grep -q '^Persistent=true' etc/systemd/system/mnist-dist-ttl.timer
  grep -q '^ExecStart=.*systemctl poweroff' etc/systemd/system/mnist-dist-ttl.service
  [[ $(xargs -d '\n' \
    <calls) == *"enable --now mnist-dist-ttl.timer"*"is-active mnist-dist-ttl.timer"*"curl \
"*'"Status":"SUCCESS"'*"https://ready.example/?a=1&b=2"* ]]
  if command -v systemd-analyze >/dev/null; then
    systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' etc/systemd/system/mnist-dist-ttl.timer)"
  fi
}

@test "a node whose timer cannot be armed does not report, so AWS deletes the stack" {
  start_node "enable --now"
  [ "$status" -ne 0 ]
  ! grep -q curl calls || false
}
