"""The effects of a rotation besides the rollout: the current version, the way back, and the guard of what leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from atlas_access.base import Endpoints, SecretReference, Unread, registrable, secret_references, with_secrets
from atlas_access.clients import CURRENT, AccountTarget, client, every_version, stages_of
from atlas_access.retirement import Condition, LegacyNames, observe_bindings, open_ones
from atlas_access.rollout import Service, own_settings, say, service_of, short
from atlas_access.rotation.judge import conditions, in_use
from atlas_access.rotation.labels import CREATED, generation_in, labels, next_label, too_old
from atlas_access.rotation.observe import End, observe


class StillUsed(RuntimeError):
    """A generation does not go while something uses it, or nobody can say that nothing does."""


def make_current(props: Mapping[str, Any]) -> None:
    """Label the version that tasks receive of each secret, and make it the current one. Raises `AwsUnavailable`."""
    store = client("secretsmanager", str(props["region"]), Endpoints.from_environment(os.environ))
    for each in json.loads(str(props["secrets"])):
        _make_current(
            store, each["arn"], each["version"], (each["cluster"], each["user"]), int(each["generation"])
        )


def _make_current(store: Any, arn: str, version: str, credential: tuple[str, str], generation: int) -> None:
    stages = stages_of(store.describe_secret(SecretId=arn))

    def move(stage: str, to: str = "") -> None:
        holder = next((each for each, named in stages.items() if stage in named), "")
        if holder != to:
            moves = {"RemoveFromVersionId": holder, "MoveToVersionId": to}
            named = {key: value for key, value in moves.items() if value}
            store.update_secret_version_stage(SecretId=arn, VersionStage=stage, **named)

    ours = {on: label for label, on in labels(stages, *credential)}
    if version not in ours or ours[version].generation != generation:
        for label, _ in too_old(stages, *credential):
            move(str(label))
        move(str(next_label(stages, *credential, generation)), version)
    move(CURRENT, version)
    if CREATED in stages.get(version, ()):
        move(CREATED)


def keep_way_back(props: Mapping[str, Any]) -> None:
    """Register the recorded way back again with the wanted versions, and deregister what is bound to others and idle.

    `secrets` maps the ARNs of the secrets whose credential ends its rotation to the version that stays. Where a
    generation is to go at the end of this update, every condition is asked. Raises `StillUsed`, `AwsUnavailable`.
    """
    wanted = {str(arn): str(version) for arn, version in dict(props["secrets"]).items()}
    endpoints = Endpoints.from_environment(os.environ)
    if not wanted:
        return
    service = service_of(props, endpoints)
    state, tags = service.observe_tagged()
    if tags.lease is not None:
        raise StillUsed(
            f"{props['stack']}: run {tags.lease.run} moves the service: wait for its end, then update again"
        )
    if tags.bound is not None:
        definition = service.definition(tags.bound.prior)
        remade = _with_versions(definition, wanted)
        if secret_references(remade) != secret_references(definition):
            made = service.register(registrable(remade))
            service.bind(state.arn, replace(tags.bound, prior=made))
            say(
                f"{short(made)} is the definition of {short(tags.bound.prior)} with today's credentials: the way back"
            )
    _deregister(props, service, wanted, endpoints)
    if props.get("leaving"):
        end = _end(props, endpoints)
        _refuse(end, conditions(observe(end, endpoints)))


def _deregister(
    props: Mapping[str, Any], service: Service, wanted: Mapping[str, str], endpoints: Endpoints
) -> None:
    """Only what nothing runs, schedules or records; it could never run again."""
    region = str(props["region"])
    store = client("secretsmanager", region, endpoints)
    gone: set[str] = set()
    for arn, version in wanted.items():
        gone |= every_version(store, arn).keys() - {version}
    settings = own_settings(props, endpoints)
    place = AccountTarget.of(str(props["stack"]), settings)
    found = observe_bindings.observe(place, LegacyNames(frozenset(gone), frozenset()), endpoints)
    if isinstance(found, Unread):
        say(f"no revision was deregistered: {found}")
        return
    tags = service.observe_tagged()[1]
    kept = {tags.bound.revision, tags.bound.prior} if tags.bound else set()
    for each in found.bound:
        if each.idle and each.arn not in kept:
            service.ecs.deregister_task_definition(taskDefinition=each.arn)
            say(f"{each.short} is deregistered: its credential goes")


def _with_versions(definition: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    def pinned(entry: Mapping[str, Any]) -> dict[str, Any]:
        reference = SecretReference.parse(str(entry.get("valueFrom")))
        if reference is None or reference.arn not in wanted:
            return dict(entry)
        return {**entry, "valueFrom": f"{reference.arn}:::{wanted[reference.arn]}"}

    return with_secrets(definition, pinned)


def refuse_leaving(props: Mapping[str, Any]) -> None:
    """Raise `StillUsed` while something uses the generation that is to go, or nobody can say that nothing does.

    What leaves is the one of the two that is not current now: the guard was declared before anybody knew whether the
    rotation would be finished or aborted. Soak and logins were asked by the way back, a moment ago.
    """
    endpoints = Endpoints.from_environment(os.environ)
    end = _end(props, endpoints)
    store = client("secretsmanager", str(props["region"]), endpoints)
    own = next(names for where, names in end.secrets if where == end.stack)
    now = {
        generation_in(stages_of(store.describe_secret(SecretId=name)), end.stack, end.user) for name in own
    }
    pair = {end.generation, end.leaving}
    if len(now) != 1 or not now <= pair:
        shown = " and ".join(map(str, sorted(now)))
        raise StillUsed(f"{end.stack}: {end.user}: generation {shown} is current, neither of {sorted(pair)}")
    (wanted,) = now
    end = replace(end, generation=wanted, leaving=min(pair - now))
    _refuse(end, in_use(observe(end, endpoints)))


def _end(props: Mapping[str, Any], endpoints: Endpoints) -> End:
    said = json.loads(str(props["leaving"]))
    return End(
        str(props["stack"]),
        own_settings(props, endpoints),
        said["user"],
        said["wanted"],
        said["leaving"],
        tuple((str(where), tuple(names)) for where, names in said["secrets"]),
    )


def _refuse(end: End, found: tuple[Condition, ...]) -> None:
    against = open_ones(found)
    if against:
        lines = [
            f"NOT REMOVED  {end.stack}: {end.login} stays, {len(against)} of {len(found)} conditions are not met.",
            *(f"  {each}" for each in against),
        ]
        raise StillUsed("\n".join(lines))
