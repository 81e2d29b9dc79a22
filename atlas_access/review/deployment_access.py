"""What a step of a deployment does to access, in the sentences of the review: roles, users and bindings. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from atlas_access.base import both_logins
from atlas_access.manifest import Consumer, Manifest
from atlas_access.privileges import ATLAS_ACTIONS, Privilege, Privileges, mongo_actions
from atlas_access.review.compare_files import differences
from atlas_access.review.deployment import Change, Step
from atlas_access.review.reach import beyond, in_words, listed, reach

ACCESS = frozenset({"actions", "roles", "containerDefinitions"})
"""The properties that the sentences say."""

_LONGEST = 100
"""Characters of a value that a line shows; a longer document is shown entry by entry, never cut."""


def access_lines(step: Step, manifest: Manifest | None, stack: str) -> tuple[str, ...]:
    """Who gains or loses what by a step, where it is a role, a user or a task definition."""
    if manifest is None:
        return ()
    kind = step.type.rpartition(":")[2]
    lines = {"CustomDbRole": _role, "DatabaseUser": _user, "TaskDefinition": _bindings}.get(kind)
    return tuple(lines(step, manifest, stack)) if lines else ()


def change_lines(change: Change) -> Iterator[str]:
    """A property's change; of a document each entry that differs."""
    before, after = (_parsed(each) for each in (change.before, change.after))
    if isinstance(before, dict | list) and isinstance(after, dict | list):
        for each in differences(before, after):
            yield f"~ {change.path}.{each}"
        return
    match change:
        case Change(before=None, after=after_text):
            yield f"+ {change.path}: {_short(after_text)}"
        case Change(before=before_text, after=None):
            yield f"- {change.path}: {_short(before_text)}"
        case _:
            yield f"~ {change.path}: {_short(change.before)} → {_short(change.after)}"


def _short(value: str | None) -> str:
    text = value or ""
    if len(text) <= _LONGEST:
        return text
    document = _parsed(text)
    if isinstance(document, dict | list):
        return f"{len(document)} entr{'y' if len(document) == 1 else 'ies'}; --json shows all"
    return f"{text[: _LONGEST - 1]}…"


def _role(step: Step, manifest: Manifest, stack: str) -> Iterator[str]:
    change = next((each for each in step.changes if each.path == "actions"), None)
    if change is None:
        return
    was, now = (_granted(_parsed(each)) for each in (change.before, change.after))
    gained, lost = beyond(now, was), beyond(was, now)
    if gained:
        verb = "gains" if was else "may"
        yield f"{verb} {in_words(gained, was, manifest, stack)}"
    if lost:
        yield f"loses {in_words(lost, now, manifest, stack)}"


def _granted(actions: Any) -> Privileges:
    """The privileges of a custom role's actions, as Atlas writes them."""
    return frozenset(
        Privilege(str(place.get("databaseName", "")), str(place.get("collectionName", "")), name)
        for each in _records(actions)
        for place in _records(each.get("resources"))
        for name in _names(str(each.get("action")))
    )


def _names(action: str) -> tuple[str, ...]:
    """The server's names of an action; one that no table here has stays as it is."""
    return tuple(mongo_actions(action)) if action in ATLAS_ACTIONS else (action,)


def _records(value: Any) -> list[dict[str, Any]]:
    """The entries of a list that are documents; a value that is not known yet has none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _user(step: Step, manifest: Manifest, stack: str) -> Iterator[str]:
    change = next((each for each in step.changes if each.path == "roles"), None)
    user = next((each for each in manifest.users if step.name in both_logins(each.name)), None)
    if change is not None and step.operation not in ("create", "import"):
        was, now = (_held(_parsed(each)) for each in (change.before, change.after))
        yield f"role {listed(was) or 'none'} → {listed(now) or 'none'}"
    elif user is None or step.operation not in ("create", "import", "delete"):
        return
    may = in_words(reach(manifest, user.name), frozenset(), manifest, stack) if user else ""
    if may and step.operation != "delete":
        yield f"role {listed(map(str, user.roles)) if user else ''}: {may}"


def _held(roles: Any) -> list[str]:
    return [f"{each.get('roleName')}@{each.get('databaseName')}" for each in _records(roles)]


def _bindings(step: Step, manifest: Manifest, stack: str) -> Iterator[str]:
    """The variables of a new revision with their users, as the manifest binds them."""
    text = next((each.after for each in step.changes if each.path == "containerDefinitions"), None)
    bound = {
        each.variable: each for each in manifest.bindings_for(stack) if each.consumer is not Consumer.LOCAL
    }
    for box in _records(_parsed(text)):
        names = [str(each.get("name")) for each in _records(box.get("secrets"))]
        receives = [f"{name} ({bound[name].user})" for name in sorted(names) if name in bound]
        if receives:
            yield f"{box.get('name')} receives {', '.join(receives)}"


def _parsed(text: str | None) -> Any:
    """A property's value where it is a document, else the text itself."""
    if text is None or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
