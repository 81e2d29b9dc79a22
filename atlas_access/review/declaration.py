"""A version of the declaration, and what changes between two of them: the records of `atlas-access review`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from atlas_access.base import Plain
from atlas_access.manifest import Manifest
from atlas_access.privileges import Privilege


@dataclass(frozen=True)
class Declaration:
    """What one commit declares. `manifest` is None before there was one; files that are absent are empty.

    `law` is policy-config.json as it is written, `settings` each stack's without the project's prefix, `gates`
    smoke.yaml, `known_users` known-users.yaml.
    """

    manifest: Manifest | None
    law: Mapping[str, Plain] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)
    gates: Mapping[str, Plain] = field(default_factory=dict)
    known_users: Mapping[str, Plain] = field(default_factory=dict)


class Effect(StrEnum):
    """What a change does to access or to what guards it, the worst first."""

    WIDENS = "widens"
    NARROWS = "narrows"
    SAME = "same"


class Part(StrEnum):
    """What a change is about, in the order of a report. The first two are the privilege part."""

    USER = "user"
    VARIABLE = "variable"
    NAME = "name"
    ROTATION = "rotation"
    COLLECTION = "collection"
    WAIVER = "waiver"
    KNOWN_USER = "known user"
    MANIFEST = "manifest"
    SETTING = "setting"
    LAW = "law"
    GATE = "gate"


@dataclass(frozen=True)
class Change:
    """One change in a sentence. `clusters` are the environments whose clusters it is about.

    `used_by` says which consumers receive the credential. `gained` and `lost` are effective privileges.
    """

    part: Part
    effect: Effect
    subject: str
    message: str
    clusters: tuple[str, ...] = ()
    used_by: str = ""
    gained: frozenset[Privilege] = frozenset()
    lost: frozenset[Privilege] = frozenset()
