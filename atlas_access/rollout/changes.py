"""What a revision changes against the one before it, for the last screen of a failed rollout. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_access.base import SecretReference, secret_references

_SHOWN = 12
"""How much of a version's identifier is shown."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Images, credentials and plain variables that differ, one line each; values of variables are never part of it."""
    lines = [
        f"image of {name}: {was or 'none'} to {now or 'none'}"
        for name, was, now in _differences(_images(before), _images(after))
    ]
    lines += [
        f"credential {name}: {_version(was)} to {_version(now)}"
        for name, was, now in _differences(secret_references(before), secret_references(after))
    ]
    plain = [name for name, *_ in _differences(_plain(before), _plain(after))]
    return (*lines, *([f"plain variables: {', '.join(plain)}"] if plain else []))


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = [name for name in dict.fromkeys([*was, *now]) if was.get(name, "") != now.get(name, "")]
    return [(name, was.get(name, ""), now.get(name, "")) for name in names]


def _images(definition: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(each.get("name")): str(each.get("image", ""))
        for each in definition.get("containerDefinitions") or ()
    }


def _plain(definition: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{each.get('name')}.{entry.get('name')}": str(entry.get("value", ""))
        for each in definition.get("containerDefinitions") or ()
        for entry in each.get("environment") or ()
    }


def _version(value_from: str) -> str:
    """`staging/mongodb/app-read version 4c1f…`."""
    found = SecretReference.parse(value_from)
    if found is None:
        return value_from or "not bound"
    return f"{found.name} {'version ' + found.version[:_SHOWN] if found.version else 'without a version'}"
