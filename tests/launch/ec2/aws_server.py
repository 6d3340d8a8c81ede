"""AWS as the tests see it: moto's server, plus the parts that launch/ec2.sh needs and moto has not.

    aws_server.py FOLDER

The nodes' reports that their TTL is armed (WaitCondition) are assumed. Listens on a free
port of the loopback, written to FOLDER/port. Files in FOLDER make things go wrong:
    no_capacity    lines "ZONE" or "ZONE NODE": a zone without room, or with room only for the
                   nodes before that one
    refuse         words with which every instance is refused
    hang           while it is there, a stack stays in creation
    slow           a stack is started 1.5 s after the request
    cannot_delete  so many deletions of a stack fail
    quota          vCPUs that every EC2 quota allows
    clock          the time as seconds since 1970, for schedules that delete a stack
The names of the requested SSM parameters are written to FOLDER/parameters.
"""

import datetime
import json
import os
import pathlib
import socket
import sys
import threading
import time

from moto.cloudformation import models as stacks
from moto.cloudformation import parsing
from moto.cloudformation import responses as stack_responses
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.ec2 import models as ec2
from moto.ec2.models import amis as images
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.responses import EC2Response
from moto.iam import models as iam
from moto.scheduler import models as schedules
from moto.servicequotas import models as quotas
from moto.ssm.responses import SimpleSystemManagerResponse

folder = pathlib.Path(sys.argv[1])
# Debian's image has the root device /dev/xvda, the other one /dev/sda1. Without this, moto makes
# all its images again for each test.
DEBIAN, OTHER = "ami-760aaa0f", "ami-12c6146b"
images.AMIS[:] = [image for image in images.AMIS if image["ami_id"] in (DEBIAN, OTHER)]
os.environ["MOTO_AMIS_PATH"] = "none"  # none of the region, either
# moto files a model under the service in its module's name.
__name__, own_name = "moto.cloudformation.models", __name__


def lines(name):
    path = folder / name
    return path.read_text().splitlines() if path.exists() else []


class Refused(Exception):
    def __init__(self, resource, reason):
        super().__init__(reason)
        self.resource, self.reason = resource, reason


class Plain(CloudFormationModel):
    """Resources that only have a name."""

    def __init__(self, name, tags=()):
        self.name, self.tags = name, list(tags)

    @property
    def physical_resource_id(self):
        return self.name

    @classmethod
    def has_cfn_attr(cls, attr):
        return False

    @staticmethod
    def cloudformation_name_type():
        return ""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        return cls(resource_name, cloudformation_json["Properties"].get("Tags", []))

    def delete(self, account_id, region_name):
        pass


class Egress(Plain):
    @staticmethod
    def cloudformation_type():
        return "AWS::EC2::SecurityGroupEgress"


def placement_groups(account_id, region_name):
    return vars(ec2.ec2_backends[account_id][region_name]).setdefault("placement_groups", {})


class PlacementGroup(Plain):
    @staticmethod
    def cloudformation_type():
        return "AWS::EC2::PlacementGroup"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        group = super().create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name
        )
        placement_groups(account_id, region_name)[group.name] = group
        return group

    def delete(self, account_id, region_name):
        placement_groups(account_id, region_name).pop(self.name, None)


class KeyPair(Plain):
    @staticmethod
    def cloudformation_type():
        return "AWS::EC2::KeyPair"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        backend = ec2.ec2_backends[account_id][region_name]
        material = properties["PublicKeyMaterial"].encode()
        key = backend.import_key_pair(properties["KeyName"], material, tags)
        made = cls(properties["KeyName"])
        made.id = key.id
        return made

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr == "KeyPairId"

    def get_cfn_attribute(self, attribute_name):
        return self.id

    def delete(self, account_id, region_name):
        ec2.ec2_backends[account_id][region_name].delete_key_pair(self.name)


class Schedule(Plain):
    @staticmethod
    def cloudformation_type():
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        # As AWS: it must be able to use the role.
        statements(properties["Target"]["RoleArn"], account_id)
        schedules.scheduler_backends[account_id][region_name].create_schedule(
            description="", end_date=None, group_name=None, kms_key_arn=None,
            name=properties["Name"], schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone=properties["ScheduleExpressionTimezone"],
            flexible_time_window=properties["FlexibleTimeWindow"], start_date=None, state=None,
            target=properties["Target"], action_after_completion=None)
        return cls(properties["Name"])

    def delete(self, account_id, region_name):
        schedules.scheduler_backends[account_id][region_name].delete_schedule(
            None, self.name)


def document(text):
    """moto keeps documents of CloudFormation as they were in the template."""
    return json.loads(text) if isinstance(text, str) else text


def statements(role_arn, account_id):
    """Those of the role, which EventBridge Scheduler must be able to assume."""
    backend = iam.iam_backends[account_id]["aws"]
    role = next(role for role in backend.roles.values() if role.arn == role_arn)
    principal = document(role.assume_role_policy_document)["Statement"][0]["Principal"]
    assert principal == {"Service": "scheduler.amazonaws.com"}, principal
    return [
        statement
        for policy in role.policies.values()
        for statement in document(policy)["Statement"]
    ]


def run_schedules(clock):
    """Deletes the stacks whose one-time schedule is due at that time."""
    for account_id, regions in schedules.scheduler_backends.items():
        for region_name, backend in regions.items():
            for schedule in list(backend.schedule_groups["default"].schedules.values()):
                due = datetime.datetime.strptime(
                    schedule.schedule_expression + schedule.schedule_expression_timezone,
                    "at(%Y-%m-%dT%H:%M:%S)%Z").replace(tzinfo=datetime.timezone.utc)
                if clock < due.timestamp() or vars(schedule).setdefault("has_run", False):
                    continue
                schedule.has_run = True
                target = schedule.target
                assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack"
                stack = json.loads(target["Input"])["StackName"]
                allowed = {"Effect": "Allow", "Action": "cloudformation:DeleteStack",
                           "Resource": stack}
                assert allowed in statements(target["RoleArn"], account_id)
                stacks.cloudformation_backends[account_id][region_name].delete_stack(stack)


def watch_clock():
    while True:
        time.sleep(0.1)
        if lines("clock"):
            with lock:
                run_schedules(float(lines("clock")[0]))


def create_instance(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
    """From its launch template, and in a zone that may be full."""
    backend = ec2.ec2_backends[account_id][region_name]
    properties = cloudformation_json["Properties"]
    node = kwargs["LogicalId"]
    template = backend.get_launch_template(properties["LaunchTemplate"]["LaunchTemplateId"])
    data = template.latest_version().data
    network = data["NetworkInterfaces"][0]
    zone = backend.get_subnet(network["SubnetId"]).availability_zone
    if zone in lines("no_capacity") or f"{zone} {node}" in lines("no_capacity"):
        raise Refused(node, f"We currently do not have sufficient {data['InstanceType']} capacity "
                      f"in the Availability Zone you requested ({zone}). "
                      "(Service: Ec2, Status Code: 500, Error Code: InsufficientInstanceCapacity)")
    if lines("refuse"):
        raise Refused(node, lines("refuse")[0])
    instance = backend.run_instances(
        image_id="", count=1, user_data=None, security_group_names=[],
        security_group_ids=list(network["Groups"]),
        launch_template={"LaunchTemplateId": template.id, "Version": "$Latest"},
        is_instance_type_default=True, region_name=region_name,
        nics=[{"DeviceIndex": 0, "SubnetId": network["SubnetId"], "DeleteOnTermination": True,
               "AssociatePublicIpAddress": bool(network.get("AssociatePublicIpAddress"))}],
        block_device_mappings=data["BlockDeviceMappings"], metadata_options=data["MetadataOptions"],
        instance_initiated_shutdown_behavior=data["InstanceInitiatedShutdownBehavior"],
        lifecycle="spot" if data.get("InstanceMarketOptions") else None).instances[0]
    for tag in properties["Tags"]:
        instance.add_tag(tag["Key"], tag["Value"])
    return instance


def tags_of_address(address):
    """As AWS, with those of its stack. moto files them under the address, not under its id."""
    names = {"resource-id": [address.id, address.public_ip]}
    tags = address.ec2_backend.describe_tags(filters=names)
    return [{"key": tag["key"], "value": tag["value"]} for tag in tags]


def release_address(address, account_id, region_name):
    """As AWS, with its stack. moto keeps it."""
    address.ec2_backend.release_address(allocation_id=address.allocation_id)


ElasticAddress.get_tags = tags_of_address
ElasticAddress.delete = release_address


def event(stack, resource, status, reason):
    stack.events.append(stacks.Event(
        stack_id=stack.stack_id, stack_name=stack.name, logical_resource_id=resource,
        physical_resource_id="", resource_type="AWS::EC2::Instance", resource_status=status,
        resource_status_reason=reason, resource_properties=None))


# One request, or one step of work in the background, at a time: moto's tables are not made for
# threads.
lock = threading.RLock()
make_all = stacks.Stack.create_resources
take_all = stacks.Stack.delete


def create_stack(stack):
    """As AWS: the answer comes at once, creation takes its time, a failure ends in a deletion."""
    stack.status = "CREATE_IN_PROGRESS"

    def work():
        time.sleep(0.05)
        while (folder / "hang").exists():
            time.sleep(0.05)
        with lock:
            known = stacks.cloudformation_backends[stack.account_id][stack.region_name].stacks
            # The second: the account was emptied.
            if stack.status.startswith("DELETE") or known.get(stack.stack_id) is not stack:
                return
            try:
                make_all(stack)
            except Refused as refused:
                event(stack, refused.resource, "CREATE_FAILED", refused.reason)
                event(stack, "Other", "CREATE_FAILED", "Resource creation cancelled")
                delete_stack_of(stack)
            # A template that moto does not understand must not pass for a slow one.
            except Exception as error:
                event(stack, "Template", "CREATE_FAILED", repr(error))
                delete_stack_of(stack)

    threading.Thread(target=work, daemon=True).start()


def delete_stack_of(stack):
    stacks.cloudformation_backends[stack.account_id][stack.region_name].delete_stack(stack.stack_id)


def delete_resources(stack):
    """Something that is already deleted is no failure."""
    for resource in list(stack.resource_map._parsed_resources.values()):
        if isinstance(resource, Instance) and resource._state.name == "terminated":
            stack.resource_map._parsed_resources.pop(resource.logical_resource_id)
        if isinstance(resource, SecurityGroup) and not (
            resource.ec2_backend.get_security_group_from_id(resource.id)
        ):
            stack.resource_map._parsed_resources.pop(resource.logical_resource_id)
    take_all(stack)


real_delete = stacks.CloudFormationBackend.delete_stack


def delete_stack(backend, name_or_stack_id):
    failures = lines("cannot_delete")
    found = [
        stack
        for stack in backend.stacks.values()
        if name_or_stack_id in (stack.name, stack.stack_id)
    ]
    if failures and int(failures[0]) and found:
        (folder / "cannot_delete").write_text(str(int(failures[0]) - 1))
        found[0].status = "DELETE_FAILED"
        return
    real_delete(backend, name_or_stack_id)


def one_at_a_time(application):
    def answer(environ, start_response):
        with lock:
            return application(environ, start_response)
    return answer


def describe_placement_groups(response):
    filters = response._filters_from_querystring()
    wanted = set(filters.get("tag:mnist-dist:cluster", []))
    groups = placement_groups(response.current_account, response.region)
    return ActionResult({"PlacementGroups": [
        {"GroupName": group.name} for group in groups.values()
        if wanted & {tag["Value"] for tag in group.tags if tag["Key"] == "mnist-dist:cluster"}]})


def get_service_quota(backend, service_code, quota_code):
    value = float((lines("quota") or ["768"])[0])
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": value}


def get_parameter(response, real=SimpleSystemManagerResponse.get_parameter):
    """Amazon's own parameters, which moto keeps read-only: each names an image that moto has."""
    name = response._get_param("Name")
    with (folder / "parameters").open("a") as names:
        names.write(name + "\n")
    if name.startswith("/aws/service/"):
        image = DEBIAN if name.startswith("/aws/service/debian/") else OTHER
        parameter = {"Name": name, "Type": "String", "Value": image}
        return ActionResult({"Parameter": parameter})
    return real(response)


def answer_create_stack(response, real=stack_responses.CloudFormationResponse.create_stack):
    if (folder / "slow").exists():
        time.sleep(1.5)
    # The test double has one way to end a creation that failed.
    assert response._get_param("OnFailure") == "DELETE", "create-stack without --on-failure DELETE"
    return real(response)


for model in Egress, PlacementGroup, KeyPair, Schedule:
    parsing.get_model_map()[model.cloudformation_type()] = model
Instance.create_from_cloudformation_json = classmethod(create_instance)
stacks.Stack.create_resources = create_stack
stacks.Stack.delete = delete_resources
stacks.CloudFormationBackend.delete_stack = delete_stack
stack_responses.CloudFormationResponse.create_stack = answer_create_stack
EC2Response.describe_placement_groups = describe_placement_groups
SimpleSystemManagerResponse.get_parameter = get_parameter
quotas.ServiceQuotasBackend.get_service_quota = get_service_quota

if own_name == "__main__":
    from werkzeug.serving import make_server

    from moto.server import DomainDispatcherApplication, create_backend_app

    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    threading.Thread(target=watch_clock, daemon=True).start()
    server = make_server("127.0.0.1", 0, application, threaded=True)
    (folder / "port").write_text(str(server.server_port))
    server.serve_forever()
