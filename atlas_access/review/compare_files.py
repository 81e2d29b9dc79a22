"""Compares what surrounds the privileges: collections, waivers, settings, the law, the gates, entry by entry. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas_access.base import both_logins, login_of
from atlas_access.manifest import DataClass, Manifest
from atlas_access.review.compare import user_names
from atlas_access.review.declaration import Change, Declaration, Effect, Part
from atlas_access.review.reach import listed, reach

_RANKS = (DataClass.PUBLIC, DataClass.PII, DataClass.PHI)
_ROTATION = ("generations", "rotating", "rotationStep", "passwords")
_LOOSENING = frozenset(
    {
        "allowUngatedRollout", "allowUnprovenPrivateAddress", "driftWithoutCollections", "repair",
        "takeOver", "unprotect",
    }
)  # fmt: skip
"""Settings that switch a check off, or let something happen that is refused otherwise."""

_PLACES = frozenset(
    {
        "atlasCluster", "atlasProjectId", "awsAccountId", "ecsCluster", "ecsService", "githubRepository",
        "kmsAlias", "observerRole", "proofTaskFamily", "referenceStack", "runtimeContainer", "schemaFamily",
        "smokeUrl", "soakRole",
    }
)  # fmt: skip
"""Settings that say where credentials exist, who receives them, and what the gates ask."""


@dataclass(frozen=True)
class Difference:
    """What one entry of a file no longer says and newly says."""

    path: str
    gone: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        if len(self.gone) == len(self.new) == 1:
            return f"{self.path}: {self.gone[0]} → {self.new[0]}"
        parts = [f"adds {listed(self.new)}"] if self.new else []
        parts += [f"removes {listed(self.gone)}"] if self.gone else []
        return f"{self.path} {', '.join(parts)}"


def differences(before: object, after: object) -> tuple[Difference, ...]:
    """What differs between two documents by entry; entries of a list are compared without their order."""
    old, new = _entries(before), _entries(after)
    found = [
        Difference(
            path,
            tuple(each for each in old.get(path, ()) if each not in new.get(path, ())),
            tuple(each for each in new.get(path, ()) if each not in old.get(path, ())),
        )
        for path in dict.fromkeys((*old, *new))
        if set(old.get(path, ())) != set(new.get(path, ()))
    ]
    whole = tuple(f"{each.path}.{name}." for each in found for name in (*each.gone, *each.new))
    return tuple(each for each in found if not each.path.startswith(whole))


def _entries(value: object, path: str = "") -> dict[str, list[str]]:
    """The values of a document by the path of their entry; a record in a list is found by its name."""
    found: dict[str, list[str]] = {}
    match value:
        case Mapping():
            parts = [_entries(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()]
        case list() | tuple():
            parts = [_listed(item, path) for item in value]
        case _:
            return {} if value is None else {path: [str(value)]}
    for part in parts:
        for name, values in part.items():
            found.setdefault(name, []).extend(values)
    return found


def _listed(item: object, path: str) -> dict[str, list[str]]:
    """An entry of a list: its name where it has one, and then what it says under that name."""
    if not isinstance(item, Mapping):
        return _entries(item, path)
    key = next((each for each in ("name", "what", "id") if isinstance(item.get(each), str)), None)
    if key is None:
        return {path: [json.dumps(item, ensure_ascii=False)]}
    rest = {name: each for name, each in item.items() if name != key}
    return {path: [item[key]], **_entries(rest, f"{path}.{item[key]}")}


def file_changes(before: Declaration, after: Declaration) -> Iterator[Change]:
    """Every change besides the privileges."""
    was, now = before.manifest, after.manifest
    if was is not None and now is not None:
        was = _with_names(was, user_names(was, now))
        yield from _collections(was, now)
        yield from _waivers(was, now)
        yield from _generic(Part.MANIFEST, _rest(was), _rest(now), _of_manifest, "access.yaml")
    people = (before.known_users, after.known_users)
    yield from _generic(Part.KNOWN_USER, *people, _of_known_users, "known-users.yaml")
    for stack in dict.fromkeys((*after.settings, *before.settings)):
        yield from _settings(stack, before.settings.get(stack, {}), after.settings.get(stack, {}))
    yield from _generic(Part.LAW, before.law, after.law, _of_law, "the law")
    yield from _generic(Part.GATE, before.gates, after.gates, _of_gates, "smoke.yaml")


def _with_names(manifest: Manifest, names: Mapping[str, str]) -> Manifest:
    """The manifest with the users' new names in what refers to them, so that a rename is no other change."""
    waivers = tuple(
        each.model_copy(update={"user": names.get(each.user, each.user)}) for each in manifest.waivers
    )
    legacy = tuple(
        each.model_copy(update={"successor": names.get(each.successor, each.successor)})
        for each in manifest.legacy
    )
    return manifest.model_copy(update={"waivers": waivers, "legacy": legacy})


def _collections(was: Manifest, now: Manifest) -> Iterator[Change]:
    old, new = ({each.namespace: each for each in one.collections} for one in (was, now))
    for name in dict.fromkeys((*new, *old)):
        there, here = old.get(name), new.get(name)
        if there == here:
            continue
        users = listed(
            user.name
            for user in now.users
            if any(each.covers(*name.split(".", 1)) for each in reach(now, user.name))
        )
        known = here or there
        effect, on = Effect.SAME, known.on if known else ()
        if there is None and here is not None:
            what = f"declared as {here.data_class}; reached by {users or 'nobody'}"
        elif here is None:
            what = f"no longer declared; reached by {users or 'nobody'}"
        elif there is not None and there.data_class != here.data_class:
            lower = _RANKS.index(here.data_class) < _RANKS.index(there.data_class)
            effect = Effect.WIDENS if lower else Effect.SAME
            what = f"data class {there.data_class} → {here.data_class}; reached by {users or 'nobody'}"
        else:
            changed = differences(there and there.model_dump(mode="json"), here.model_dump(mode="json"))
            what = "; ".join(map(str, changed))
        yield Change(Part.COLLECTION, effect, name, what, on)


def _waivers(was: Manifest, now: Manifest) -> Iterator[Change]:
    old, new = ({each.id: each for each in one.waivers} for one in (was, now))
    for name in dict.fromkeys((*new, *old)):
        there, here = old.get(name), new.get(name)
        if there == here:
            continue
        subject = f"waiver {name}"
        if here is None or there is None:
            given = here or there
            accepts = f"{given.user} may {listed(given.permits)}, accepted by {given.adr}" if given else ""
            effect, verb = (Effect.WIDENS, "added") if here else (Effect.NARROWS, "removed")
            yield Change(Part.WAIVER, effect, subject, f"{verb}: {accepts}")
            continue
        changed = differences(there.model_dump(mode="json"), here.model_dump(mode="json"))
        more = set(here.permits) - set(there.permits)
        wider = more or (here.user, here.on) != (there.user, there.on)
        less = set(there.permits) - set(here.permits)
        effect = Effect.WIDENS if wider else Effect.NARROWS if less else Effect.SAME
        yield Change(Part.WAIVER, effect, subject, "; ".join(map(str, changed)))


def _rest(manifest: Manifest) -> dict[str, Any]:
    """What of a manifest is neither a privilege, a binding, a collection nor a waiver."""
    kept = {"database", "environments", "audit", "read_across", "user_cap", "accepted_actions", "legacy"}
    said = manifest.model_dump(mode="json", include=kept | {"deprecated_variables", "view_families"})
    secrets = {each.secret_name for env in manifest.environments for each in manifest.credentials_for(env)}
    adopted = [f"user with secret {each.secret}" for each in manifest.users if each.adopted]
    adopted += [each.name for each in manifest.roles if each.adopted]
    return {**said, "secrets": sorted(secrets), "adopted": adopted}


def _of_manifest(difference: Difference) -> Effect:
    head = difference.path.partition(".")[0]
    if head == "user_cap":
        return _by_number(difference)
    allowances = head in ("read_across", "accepted_actions", "view_families")
    if head == "audit" or (allowances and difference.new):
        return Effect.WIDENS
    return Effect.NARROWS if allowances else Effect.SAME


def _of_law(difference: Difference) -> Effect:
    """What the law newly allows widens it; what it forbids is the other way round."""
    if difference.path.endswith(("userCap", "rotationHeadroom")):
        return _by_number(difference)
    wider, narrower = difference.new, difference.gone
    if difference.path.endswith("oneTenant"):
        wider, narrower = narrower, wider
    if difference.path == "unknown":
        return Effect.NARROWS if difference.new == ("fail",) else Effect.WIDENS
    return Effect.WIDENS if wider else Effect.NARROWS if narrower else Effect.SAME


def _of_known_users(difference: Difference) -> Effect:
    """Whom the drift check newly accepts, where, with which roles, or for longer."""
    if difference.path.endswith((".reason", "version")):
        return Effect.SAME
    if difference.path.endswith(".until") and difference.new and difference.gone:
        return Effect.WIDENS if difference.new > difference.gone else Effect.NARROWS
    return Effect.WIDENS if difference.new else Effect.NARROWS


def _by_number(difference: Difference) -> Effect:
    old, new = (_number("".join(each)) for each in (difference.gone, difference.new))
    return Effect.WIDENS if new > old else Effect.NARROWS


def _of_gates(difference: Difference) -> Effect:
    """A request, a scenario or a step that goes, and a field that is newly ignored, loosen a gate."""
    checked = difference.path.partition(".")[0] not in ("ignore", "limits", "version")
    loosened = difference.gone if checked else difference.new if difference.path == "ignore" else ()
    return Effect.WIDENS if loosened else Effect.SAME


def _generic(
    part: Part, was: object, now: object, effect: Callable[[Difference], Effect], source: str
) -> Iterator[Change]:
    found = differences(was, now)
    for each in found:
        yield Change(part, effect(each), source, str(each))
    if not found and was != now:
        yield Change(part, Effect.SAME, source, "the order of entries")


def _settings(stack: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    yield from _rotation(stack, was, now)
    old, new = ({key: each for key, each in one.items() if key not in _ROTATION} for one in (was, now))
    for each in differences(old, new):
        key = each.path.partition(".")[0]
        effect, source = Effect.SAME, f"Pulumi.{stack}.yaml"
        if key in _PLACES or (key in _LOOSENING and each.new and each.new != ("False",)):
            effect = Effect.WIDENS
        if key == "acknowledged" and each.new:
            effect = Effect.WIDENS
        yield Change(Part.SETTING, effect, source, str(each), (stack,))


def _rotation(stack: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """A rotation's step in one sentence for each user that it concerns."""
    if all(was.get(key) == now.get(key) for key in _ROTATION):
        return
    before, after = (_counts(each.get("generations")) for each in (was, now))
    replaced, replaces = (_counts(each.get("passwords")) for each in (was, now))
    user, step = str(now.get("rotating") or was.get("rotating") or ""), now.get("rotationStep", "move")
    for name in dict.fromkeys((*after, *before, *replaces, *([user] if user else []))):
        old, new = before.get(name, 1), after.get(name, 1)
        if new != old:
            does = f"rotates: generation {old} → {new} ({login_of(name, new)})"
        elif replaced.get(name) != replaces.get(name):
            does = "receives another password in place"
        elif name != user:
            continue
        elif not now.get("rotating"):
            does = "no longer rotates"
        else:
            does = f"rotates ({' or '.join(both_logins(name))}): step {step}"
        yield Change(Part.ROTATION, Effect.SAME, name, f"{does}; the same privileges", (stack,))


def _counts(value: object) -> Mapping[str, int]:
    counts = value.items() if isinstance(value, Mapping) else ()
    return {str(key): _number(str(each)) for key, each in counts}


def _number(text: str) -> int:
    """A count as it is written; what is none counts as 0, and is refused where the file is used."""
    return int(text) if text.isdecimal() else 0


def unchanged(changes: Sequence[Change], manifest: Manifest | None) -> str:
    """What a review need not read: the users and parts without a change."""
    touched = {each.subject for each in changes if each.part in (Part.USER, Part.NAME, Part.ROTATION)}
    users = [each.name for each in (manifest.users if manifest else ()) if each.name not in touched]
    parts = {Part.WAIVER: "waivers", Part.GATE: "gates", Part.LAW: "the law", Part.SETTING: "settings"}
    same = [words for part, words in parts.items() if part not in {each.part for each in changes}]
    groups = "; ".join(filter(None, (", ".join(users), ", ".join(same))))
    return f"no change: {groups}" if groups else ""
