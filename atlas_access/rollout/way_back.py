"""The way back: the recorded revision if it can run again, else its definition with today's proven versions.

Only an INACTIVE revision, a version that is gone and a refused login disqualify. What cannot be asked, without rights
or network, is reported and stops nothing: in an emergency the recorded revision is the best that is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from atlas_access.base import (
    ConnectionInvalid,
    ConnectionString,
    EndpointRefused,
    Endpoints,
    SecretReference,
    with_secrets,
)
from atlas_access.clients import (
    AwsUnavailable,
    Login,
    Server,
    ServerUnusable,
    client,
    judge_login,
    read_value,
)
from atlas_access.rollout.model import short
from atlas_access.rollout.readable import Problem, references
from atlas_access.rollout.service import Service
from atlas_access.rollout.steps import Chosen, Observed

_UNKNOWN_TO_ECS = "ClientException"
_WAIT_SECONDS = 5.0
_AGAIN_SECONDS = 2.0
"""How long a refused login is tried again: a password may just have been set."""
DELETED = "DELETED"
"""The status of a revision that ECS does not know any more; its definition is the one that was recorded."""
_GONE = {
    "ResourceNotFoundException": "the secret or this version of it does not exist",
    "InvalidRequestException": "the secret is marked for deletion",
}


@dataclass(frozen=True)
class Credential:
    """What came of logging in with one secret version: "" for both where it logs in.

    `dead` says that it cannot, `unasked` why nobody knows.
    """

    dead: str = ""
    unasked: str = ""


def log_in(reference: SecretReference, region: str, endpoints: Endpoints) -> Credential:
    """Log in with the connection string of one secret version; a record comes back whatever happens."""
    try:
        store = client("secretsmanager", region, endpoints)
        value = read_value(store, reference.arn, reference.version, reference.stage)
        with Server(ConnectionString.parse(value), endpoints, wait_seconds=_WAIT_SECONDS) as server:
            until = time.monotonic() + _AGAIN_SECONDS
            answer = server.login(lambda: until - time.monotonic()).answer
    except AwsUnavailable as error:
        gone = _GONE.get(error.code, "")
        return Credential(dead=gone, unasked="" if gone else str(error))
    except (ConnectionInvalid, EndpointRefused, ServerUnusable) as error:
        return Credential(unasked=str(error))
    match judge_login(answer):
        case Login.DONE:
            return Credential()
        case Login.REFUSED:
            return Credential(dead="the server refuses its login")
        case Login.UNREACHABLE:
            return Credential(
                unasked=str(answer.failure or f"code {answer.code} {answer.code_name}".rstrip())
            )


@dataclass(frozen=True)
class Recorded:
    """A recorded revision: its definition, and what came of each of its Mongo variables' credentials."""

    revision: str
    definition: Mapping[str, Any]
    credentials: Mapping[str, Credential]

    @property
    def dead(self) -> tuple[str, ...]:
        """Why it cannot run again; () where it can, or where nobody knows."""
        label = short(self.revision)
        status = self.definition.get("status")
        return (
            *([f"{label} is {status}"] if status in ("INACTIVE", DELETED) else []),
            *(f"{label}: {name}: {each.dead}" for name, each in self.credentials.items() if each.dead),
        )

    @property
    def unasked(self) -> tuple[str, ...]:
        """What could not be asked."""
        return tuple(f"{name}: {each.unasked}" for name, each in self.credentials.items() if each.unasked)

    def remade(self, today: Mapping[str, SecretReference]) -> dict[str, Any] | tuple[str, ...]:
        """The definition with today's proven versions, or each dead variable that none takes the place of."""
        missing = tuple(
            f"{name}: {each.dead}, and no proven version takes its place"
            for name, each in self.credentials.items()
            if each.dead and name not in today
        )
        if missing:
            return missing
        return with_secrets(self.definition, lambda entry: _bound(entry, today))


@dataclass
class WayBack:
    """Finds the revision to go back to; what was asked of a revision once is not asked again.

    `today` gives the versions proven today, by variable; `problems` says why tasks of a definition could not start;
    `kept` are recorded definitions, by revision, for those that ECS does not know any more.
    """

    service: Service
    log_in: Callable[[SecretReference], Credential]
    today: Callable[[], Mapping[str, SecretReference]]
    problems: Callable[[str, Mapping[str, Any]], tuple[Problem, ...]]
    say: Callable[[str], None]
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _found: dict[str, Recorded] = field(default_factory=dict)
    _chosen: dict[str, str] = field(default_factory=dict)

    def before(self, revision: str) -> Callable[[Observed], tuple[str, ...]]:
        """Before a swap, as a check of the pre-flight: why there would be no way back. Nothing is registered."""

        def check(_: Observed) -> tuple[str, ...]:
            found = self._recorded(revision)
            definition = found.remade(self.today()) if found.dead else found.definition
            if isinstance(definition, tuple):
                return _refusals(found, definition)
            now = {**definition, "status": "ACTIVE"}
            return tuple(each.text for each in self.problems(revision, now))

        return check

    def resolves(self, revision: str) -> Callable[[Observed], tuple[str, ...]]:
        """Before an undo: why tasks of the chosen revision could not start; what nobody knows is only reported."""

        def check(_: Observed) -> tuple[str, ...]:
            chosen = self._chosen.get(revision, revision)
            try:
                problems = self.problems(chosen, self.service.definition(chosen))
            except AwsUnavailable as error:
                problems = (Problem(f"{short(chosen)}: {error}", known=False),)
            for each in problems:
                if not each.known:
                    self.say(f"{each.text}. This does not stop the rollback")
            return tuple(each.text for each in problems if each.known)

        return check

    def __call__(self, revision: str) -> Chosen:
        """The revision itself, or the one that its definition was registered as again."""
        try:
            found = self._recorded(revision)
        except AwsUnavailable as error:
            if error.code == _UNKNOWN_TO_ECS:
                why = f"there is no way back to {short(revision)}: ECS does not know it any more. Name another revision"
                return Chosen(revision, f"{why} with rollback --to")
            self.say(f"whether {short(revision)} can run again could not be asked: {error}")
            return Chosen(revision)
        chosen = self._again(found) if found.dead else Chosen(revision)
        self._chosen[revision] = chosen.revision
        return chosen

    def _again(self, found: Recorded) -> Chosen:
        try:
            remade = found.remade(self.today())
            if isinstance(remade, tuple):
                return Chosen(found.revision, "; ".join(_refusals(found, remade)))
            made = self.service.register(remade)
        except Exception as error:  # noqa: BLE001 - the service is not moved onto what is known to be dead
            text = str(error) if isinstance(error, AwsUnavailable) else f"{type(error).__name__}: {error}"
            why = f"{'; '.join(found.dead)}; and its definition could not be registered again: {text}"
            return Chosen(found.revision, why)
        label = short(found.revision)
        self.say(f"{short(made)} is the definition of {label} with today's proven credentials: the way back")
        return Chosen(made)

    def _recorded(self, revision: str) -> Recorded:
        if revision not in self._found:
            definition = self._definition(revision)
            found = Recorded(revision, definition, logged_in(mongo(definition), self.log_in))
            self._found[revision] = found
            for line in found.dead:
                self.say(f"{line}: the way back is its definition with today's proven versions")
            for line in found.unasked:
                self.say(f"whether {short(revision)} logs in could not be asked: {line}")
        return self._found[revision]

    def _definition(self, revision: str) -> Mapping[str, Any]:
        try:
            return self.service.definition(revision)
        except AwsUnavailable as error:
            if error.code != _UNKNOWN_TO_ECS or revision not in self.kept:
                raise
            return {**self.kept[revision], "status": DELETED}


def logged_in(
    named: Mapping[str, SecretReference], one: Callable[[SecretReference], Credential]
) -> dict[str, Credential]:
    """What came of each variable's credential, each version tried once, all at the same time."""
    distinct = list(dict.fromkeys(named.values()))
    with ThreadPoolExecutor(max_workers=max(1, len(distinct))) as pool:
        found = dict(zip(distinct, pool.map(one, distinct), strict=True))
    return {name: found[each] for name, each in named.items()}


def mongo(definition: Mapping[str, Any]) -> dict[str, SecretReference]:
    """The secret versions of a definition's Mongo variables."""
    return {name: each for name, each in references(definition)[0].items() if name.startswith("MONGODB_")}


def with_deprecated(
    named: Mapping[str, SecretReference], deprecated: Mapping[str, str]
) -> dict[str, SecretReference]:
    """Versions by variable, and each deprecated variable's by its successor where it has none of its own."""
    return {old: named[new] for old, new in deprecated.items() if new in named} | dict(named)


def _refusals(found: Recorded, missing: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        f"there is no way back to {short(found.revision)}: {each}. Update the stack in phase `bind`, or name another "
        "revision with rollback --to"
        for each in missing
    )


def _bound(entry: Mapping[str, Any], today: Mapping[str, SecretReference]) -> dict[str, Any]:
    new = today.get(str(entry["name"]))
    return {**entry, "valueFrom": f"{new.arn}:::{new.version}"} if new else dict(entry)
