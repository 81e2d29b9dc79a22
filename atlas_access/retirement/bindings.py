"""Which legacy secrets and users a task definition names, in whatever place and form. Pure.

A secret can be named by its ARN, with or without the six characters that Secrets Manager adds, by its name, or by a
prefix that a task lists secrets by; a user by a connection string in plain view. No value is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_USER = re.compile(r"mongodb(?:\+srv)?://([^:@/\s]+)(?::[^@\s]*)?@", re.IGNORECASE)
_REGISTRATION = frozenset({"taskDefinitionArn", "family", "registeredBy", "tags"})


@dataclass(frozen=True)
class LegacyNames:
    """The legacy secrets of one account, and the legacy users of the clusters that it reads."""

    secrets: frozenset[str]
    users: frozenset[str]


def named_in(definition: Mapping[str, Any], legacy: LegacyNames) -> tuple[str, ...]:
    """The legacy secrets and users that a definition names, sorted; empty when it has nothing to do with them.

    Every text in the definition counts, not `secrets` alone: log options, repository credentials and commands too.
    """
    texts = tuple(_texts({key: value for key, value in definition.items() if key not in _REGISTRATION}))
    found = {name for name in legacy.secrets if any(names_secret(text, name) for text in texts)}
    found |= {user for text in texts for user in _USER.findall(text) if user in legacy.users}
    return tuple(sorted(found))


def names_secret(text: str, name: str) -> bool:
    """Whether a text names a secret: alone or in a longer one, with its suffix, or by a prefix ending in `/` or `*`."""
    if re.search(rf"(?<![\w/-]){re.escape(name)}(?:-[A-Za-z0-9]{{6}})?(?![\w/-])", text):
        return True
    last = text.rpartition(":")[2]
    return len(last) > 1 and last.endswith(("/", "*")) and name.startswith(last.rstrip("*")) and "/" in last


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


@dataclass(frozen=True)
class PastDeployment:
    """One deployment of a service, as ECS remembers it; `finished` is Unix seconds, `legacy` what it names."""

    revision: str
    status: str
    finished: float
    legacy: tuple[str, ...]


@dataclass(frozen=True)
class SinceBinding:
    """Since when a service has run without legacy bindings, and how many deployments it has completed since."""

    since: float
    completed: int


def since_binding(newest_first: Iterable[PastDeployment]) -> SinceBinding | None:
    """Find the deployment that left the legacy secrets; None when the service runs on them still.

    Only deployments that succeeded count. The one that brought the new bindings is where counting begins.
    """
    since, succeeded = 0.0, 0
    for each in newest_first:
        if each.status != "SUCCESSFUL":
            continue
        if each.legacy:
            break
        since, succeeded = each.finished, succeeded + 1
    return SinceBinding(since, succeeded - 1) if succeeded else None
