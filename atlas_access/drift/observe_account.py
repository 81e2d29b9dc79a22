"""What the drift check reads of one environment's AWS account: secrets' metadata, and the live task definitions.

It reads no secret's value and keeps no value of a container's variable, only whether one is a connection string.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from atlas_access.base import Endpoints, Settings, Unread
from atlas_access.clients import (
    AwsUnavailable,
    ObservedKey,
    RunningRevision,
    account_unread,
    client,
    current_of,
    key_behind,
    latest_revision,
    read_or_unread,
    running_revision,
)
from atlas_access.drift.messages import listed
from atlas_access.drift.model import ObservedOtherTask, ObservedSecret, ObservedTask
from atlas_access.drift.observe_other_tasks import read_other_tasks
from atlas_access.drift.task_places import (
    bound_variables,
    connection_places,
    containers_of,
    environment_files,
    is_connection,
)
from atlas_access.manifest import Consumer

_WORKERS = 8


@dataclass(frozen=True)
class Account:
    """What was read of an account; each part is what it says, or an `Unread`."""

    key: ObservedKey | Unread
    secrets: tuple[ObservedSecret | Unread, ...]
    tasks: tuple[ObservedTask | Unread, ...]
    other_tasks: tuple[ObservedOtherTask, ...] | Unread = ()


def read_account(
    settings: Settings, secrets: Sequence[str], endpoints: Endpoints, aged: Collection[str] = ()
) -> Account:
    """Read everything at once, of the secrets in `aged` the current version's age too.

    Raises nothing but `EndpointRefused`: what cannot be read is reported as unread. When the credentials act in another
    account than the stack's, nothing else is asked of it.
    """
    region = settings.aws_region
    elsewhere = account_unread(settings, endpoints)
    if elsewhere is not None:
        return Account(elsewhere, (), ())
    store = client("secretsmanager", region, endpoints)
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        key = pool.submit(
            read_or_unread,
            lambda: key_behind(settings.kms_alias, region=region, endpoints=endpoints),
            f"key {settings.kms_alias}",
        )
        described = [
            pool.submit(
                read_or_unread, lambda n=name: seen_secret(store, n, aged=n in aged), f"secret {name}"
            )
            for name in secrets
        ]
        tasks = pool.submit(_tasks, settings, endpoints)
        secrets_read, tasks_read = tuple(each.result() for each in described), tasks.result()
        beside = read_or_unread(lambda: beside_of(settings, tasks_read, endpoints), "other task definitions")
        return Account(key.result(), secrets_read, tasks_read, beside)


def beside_of(
    settings: Settings, tasks: Sequence[ObservedTask | Unread], endpoints: Endpoints
) -> tuple[ObservedOtherTask, ...] | Unread:
    """What stands beside the stack's own families; without the service's, what is beside it is not known."""
    if isinstance(tasks[0], Unread):
        return Unread("other task definitions", "which family is the service's own could not be read")
    own = frozenset({tasks[0].revision.partition(":")[0], settings.schema_family})
    return read_other_tasks(settings, own, endpoints)


def seen_secret(store: Any, name: str, *, aged: bool = False) -> ObservedSecret:
    """What Secrets Manager says of a secret, but for its value. Raises `AwsUnavailable`."""
    try:
        about = store.describe_secret(SecretId=name)
    except AwsUnavailable as error:
        if error.code == "ResourceNotFoundException":
            return ObservedSecret(name, exists=False)
        raise
    deleted = about.get("DeletedDate")
    policy = "" if deleted else str(store.get_resource_policy(SecretId=name).get("ResourcePolicy") or "")
    current = current_of(about)
    versions = store.list_secret_version_ids(SecretId=name)["Versions"] if aged and not deleted else ()
    made = next((each["CreatedDate"] for each in versions if each["VersionId"] == current), None)
    return ObservedSecret(
        name=name,
        exists=True,
        arn=str(about["ARN"]),
        key=str(about.get("KmsKeyId") or ""),
        deleted_at=deleted.astimezone(UTC) if isinstance(deleted, datetime) else None,
        current_version=current,
        policy=policy_text(policy) if policy else "",
        rotates=str(about.get("RotationLambdaARN") or "AWS") if about.get("RotationEnabled") else "",
        replicas=tuple(str(each["Region"]) for each in about.get("ReplicationStatus") or ()),
        made_at=made.astimezone(UTC) if made else None,
    )


def policy_text(text: str) -> str:
    """Return what a resource policy's statements say, "" for one without statements; never more than a line."""
    try:
        statements = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError):
        return "do what its policy says, which is not readable"
    parts = []
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if not isinstance(statement, Mapping):
            return "do what its policy says, which is not readable"
        who = statement.get("Principal", statement.get("NotPrincipal", "nobody"))
        names = who if isinstance(who, str) else listed(_words(who), 4)
        who_named = f"everyone but {names}" if "NotPrincipal" in statement else names
        actions = listed(_words(statement.get("Action", statement.get("NotAction", []))), 4)
        verb = "let" if statement.get("Effect") == "Allow" else "keep"
        parts.append(f"{verb} {who_named} {'do' if verb == 'let' else 'from'} {actions or 'nothing'}")
    return listed(parts, 6)


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [word for each in value.values() for word in _words(each)]
    return [word for each in value for word in _words(each)] if isinstance(value, Iterable) else []


def _tasks(settings: Settings, endpoints: Endpoints) -> tuple[ObservedTask | Unread, ...]:
    """The revision that the service runs, the newest of its family when that is another one, and the schema task's."""
    container = settings.runtime_container
    where: dict[str, Any] = {"region": settings.aws_region, "endpoints": endpoints}

    def newest(family: str) -> RunningRevision | Unread:
        return read_or_unread(lambda: latest_revision(family, **where), f"task family {family}")

    def observed(
        found: RunningRevision | Unread, consumer: Consumer, *, running: bool
    ) -> ObservedTask | Unread:
        if isinstance(found, Unread):
            return found
        return seen_task(found, consumer, container, running=running)

    running = read_or_unread(
        lambda: running_revision(settings.ecs_cluster, settings.ecs_service, **where),
        f"service {settings.ecs_service}",
    )
    tasks = [observed(running, Consumer.SERVICE, running=True)]
    if isinstance(running, RunningRevision):
        latest = newest(str(running.definition["family"]))
        if isinstance(latest, Unread) or latest.arn != running.arn:
            tasks.append(observed(latest, Consumer.SERVICE, running=False))
    if settings.schema_family:
        tasks.append(observed(newest(settings.schema_family), Consumer.SCHEMA_TASK, running=True))
    return tuple(tasks)


def seen_task(
    revision: RunningRevision, consumer: Consumer, container: str, *, running: bool
) -> ObservedTask:
    """Return a revision's bindings, of all its containers; `container` is the one that may hold credentials."""
    definition = revision.definition
    variables = [entry for each in containers_of(definition) for entry in each.get("environment") or []]
    registered = definition.get("registeredAt")
    return ObservedTask(
        consumer=consumer,
        revision=revision.arn.rpartition("/")[2] or revision.arn,
        running=running,
        bound=bound_variables(definition),
        plain=tuple(str(entry["name"]) for entry in variables),
        plain_connections=tuple(
            str(entry["name"]) for entry in variables if is_connection(entry.get("value", ""))
        ),
        container=container,
        plain_texts=connection_places(definition),
        files=environment_files(definition),
        registered_at=registered.astimezone(UTC) if isinstance(registered, datetime) else None,
        registered_by=str(definition.get("registeredBy") or ""),
    )
