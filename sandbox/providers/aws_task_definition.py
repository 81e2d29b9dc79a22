"""The resource type aws:ecs/taskDefinition:TaskDefinition.

All changes but tags make a new revision. Deleting deregisters, unless `skipDestroy` is set; INACTIVE counts as gone.
"""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.engine.values import Properties
from sandbox.providers import containers
from sandbox.providers.aws_session import AwsSession, aws_errors, tag_changes, with_region_and_tags
from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import Failure, Found, Property, ResourceType

_TEXTS: Final = ("executionRoleArn", "family", "ipcMode", "pidMode", "taskRoleArn")
_LISTS: Final = ("placementConstraints", "requiresCompatibilities")
_PASSED: Final = (
    *(*_TEXTS, *_LISTS, "cpu", "enableFaultInjection", "memory", "networkMode", "runtimePlatform"),
)
"""Inputs that ECS takes under the same name and in the same form."""


def _validate(inputs: Properties) -> list[Failure]:
    definitions = inputs["containerDefinitions"]
    if not isinstance(definitions, str):
        return []
    try:
        containers.parsed(definitions)
    except ValueError as error:
        return [Failure("containerDefinitions", str(error))]
    return []


def _create(session: AwsSession, inputs: Properties) -> Found:
    storage = inputs.get("ephemeralStorage")
    given = {
        **{name: inputs.get(name) for name in _PASSED},
        "ephemeralStorage": storage and {"sizeInGiB": storage["sizeInGib"]},
        "containerDefinitions": containers.parsed(inputs["containerDefinitions"]),
        "volumes": [_volume_request(volume) for volume in inputs.get("volumes") or []],
        "tags": _tags(inputs["tagsAll"]),
    }
    request = {name: value for name, value in given.items() if value not in (None, [])}
    with aws_errors(f"creating ECS Task Definition ({inputs['family']})"):
        made = session.client("ecs", inputs).register_task_definition(**request)["taskDefinition"]
    return Found(inputs["family"], _state(session, made, inputs["tagsAll"], inputs))


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _volume_request(volume: Properties) -> Properties:
    request = {name: value for name, value in volume.items() if name not in ("hostPath", "configureAtLaunch")}
    if volume.get("configureAtLaunch"):
        request["configuredAtLaunch"] = True
    if volume.get("hostPath"):
        request["host"] = {"sourcePath": volume["hostPath"]}
    return request


def _volume_state(volume: Properties) -> Properties:
    state = {name: value for name, value in volume.items() if name not in ("host", "configuredAtLaunch")}
    state["configureAtLaunch"] = bool(volume.get("configuredAtLaunch"))
    state["hostPath"] = (volume.get("host") or {}).get("sourcePath", "")
    return state


def _state(session: AwsSession, made: Any, tags: Mapping[str, str], known: Properties) -> Properties:
    arn, storage = str(made["taskDefinitionArn"]), made.get("ephemeralStorage")
    return {
        **{name: made.get(name) or "" for name in _TEXTS},
        **{name: list(made.get(name) or []) for name in _LISTS},
        "arn": arn,
        "arnWithoutRevision": arn.rpartition(":")[0],
        "containerDefinitions": containers.written(made["containerDefinitions"]),
        "cpu": made.get("cpu"),
        "enableFaultInjection": bool(made.get("enableFaultInjection")),
        "ephemeralStorage": {"sizeInGib": storage["sizeInGiB"]} if storage else None,
        "memory": made.get("memory"),
        "networkMode": made.get("networkMode") or "bridge",
        "region": known.get("region") or session.region,
        "revision": made["revision"],
        "runtimePlatform": made.get("runtimePlatform") or None,
        "skipDestroy": bool(known.get("skipDestroy")),
        "tags": tags,
        "tagsAll": tags,
        "volumes": [_volume_state(volume) for volume in made.get("volumes") or []],
    }


def _read(session: AwsSession, identity: str, known: Properties) -> Found | None:
    wanted = known.get("arn") or identity
    answer: Any = {}
    gone = ("ClientException", "InvalidParameterException")
    with aws_errors(f"reading ECS Task Definition ({identity})", *gone):
        answer = session.client("ecs", known).describe_task_definition(
            taskDefinition=wanted, include=["TAGS"]
        )
    made = answer.get("taskDefinition")
    if made is None or made.get("status") == "INACTIVE":
        return None
    tags = {tag["key"]: tag["value"] for tag in answer.get("tags") or []}
    return Found(made["family"], _state(session, made, tags, known))


def _update(session: AwsSession, identity: str, old: Properties, inputs: Properties) -> Properties:
    put, removed = tag_changes(old, inputs)
    with aws_errors(f"updating ECS Task Definition ({identity}) tags"):
        if removed:
            session.client("ecs", inputs).untag_resource(resourceArn=old["arn"], tagKeys=removed)
        if put:
            session.client("ecs", inputs).tag_resource(resourceArn=old["arn"], tags=_tags(put))
    found = _read(session, identity, {**old, **inputs, "arn": old["arn"]})
    if found is None:
        raise ProviderError(f"reading ECS Task Definition ({identity}): couldn't find resource")
    return found.state


def _delete(session: AwsSession, identity: str, state: Properties) -> None:
    if state.get("skipDestroy"):
        return
    with aws_errors(f"deleting ECS Task Definition ({identity})"):
        session.client("ecs", state).deregister_task_definition(taskDefinition=state["arn"])


def _plan(_: AwsSession, planned: Properties) -> Properties:
    definitions = planned["containerDefinitions"]
    known = isinstance(definitions, str)
    written = containers.written(containers.parsed(definitions)) if known else definitions
    return {**planned, "containerDefinitions": written}


TASK_DEFINITION: Final = ResourceType[AwsSession](
    token="aws:ecs/taskDefinition:TaskDefinition",  # noqa: S106 - a type token
    properties=(
        Property("arn", output_only=True),
        Property("arnWithoutRevision", output_only=True),
        Property("containerDefinitions", required=True, replaces=True, equivalent=containers.equivalent),
        Property("cpu", replaces=True),
        Property("enableFaultInjection", replaces=True, computed=True),
        Property("ephemeralStorage", replaces=True, block=True),
        Property("executionRoleArn", replaces=True),
        Property("family", required=True, replaces=True),
        Property("ipcMode", replaces=True),
        Property("memory", replaces=True),
        Property("networkMode", replaces=True, computed=True),
        Property("pidMode", replaces=True),
        Property("placementConstraints", replaces=True, block=True),
        Property("region", replaces=True, computed=True),
        Property("requiresCompatibilities", replaces=True),
        Property("revision", output_only=True),
        Property("runtimePlatform", replaces=True, block=True),
        Property("skipDestroy", default=False),
        Property("tags"),
        Property("tagsAll", computed=True),
        Property("taskRoleArn", replaces=True),
        Property("volumes", replaces=True, block=True),
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    prepare=with_region_and_tags,
    validate=_validate,
    plan=_plan,
)
