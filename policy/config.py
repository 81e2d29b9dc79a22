"""The pack's configuration (`policy-config.json`): differences per stack, the user cap and the waivers.

Reports every error of the file at once. It cannot loosen an invariant of `policy.adr`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from policy import adr

UNKNOWN_SETTING: Final = "ATLAS_ACCESS_POLICY_UNKNOWN"
"""`fail`, as CI sets it, makes an unexpected unknown value a violation, whatever the file says."""

DEFAULT_FILE: Final = Path(__file__).with_name("policy-config.json")
_RECORDS = ("ADR 0001", "ADR 0002", "ADR 0004", "ADR 0006", "ADR 0007")
_REQUIRED = {
    "projectId": r"[0-9a-f]{24}",
    "account": r"[0-9]{12}",
    "cluster": r".+",
    "kmsAlias": r"alias/[^*]+",
    "runtimeFamily": r".+",
    "schemaFamily": r".+",
    "runtimeRole": r".+",
    "schemaRole": r".+",
}
_OPTIONAL = ("legacyUsers", "legacyRoles", "legacySecrets")
_TOP = (
    *("$schema", "userCap", "unknown", "decisionRecords", "sharedSecretOutputs", "auditDatabase"),
    *("waivers", "stacks"),
)


class ConfigInvalid(ValueError):
    """The configuration file is wrong; `errors` names every place and its remedy."""

    def __init__(self, source: str, errors: tuple[str, ...]) -> None:
        self.errors = errors
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        super().__init__("\n  ".join([f"{source} has {count}; no policy was built.", *errors]))


@dataclass(frozen=True)
class Waiver:
    """Grants on the audit log that a decision record accepts for one user (`permits`: Atlas actions)."""

    id: str
    user: str
    decision: str
    permits: frozenset[str]


@dataclass(frozen=True)
class StackFacts:
    """What one environment owns (ADR 0001): nothing of it may appear in another stack."""

    name: str
    project_id: str
    account: str
    cluster: str
    kms_alias: str
    runtime_family: str
    schema_family: str
    runtime_role: str
    schema_role: str
    legacy_users: frozenset[str] = frozenset()
    legacy_roles: frozenset[str] = frozenset()
    legacy_secrets: frozenset[str] = frozenset()

    @property
    def secret_prefix(self) -> str:
        """How every secret name of this environment begins."""
        return f"{self.name}/mongodb/"


@dataclass(frozen=True)
class Config:
    """The whole configuration. `fail_unknown` makes an unexpected unknown value a violation, as CI wants it."""

    stacks: tuple[StackFacts, ...]
    user_cap: int = adr.USER_CAP
    waivers: tuple[Waiver, ...] = ()
    decision_records: frozenset[str] = frozenset(_RECORDS)
    shared_secret_outputs: frozenset[str] = frozenset()
    fail_unknown: bool = False
    audit_database: str = adr.DATABASE

    @property
    def readable_databases(self) -> frozenset[str]:
        """The databases of which a built-in role may be given: two when the audit log has its own."""
        return frozenset({adr.DATABASE, self.audit_database})

    def stack(self, name: str) -> StackFacts | None:
        """The facts of a stack, None where the name is unknown."""
        return next((facts for facts in self.stacks if facts.name == name), None)

    def others(self, name: str) -> tuple[StackFacts, ...]:
        """Every environment but this one; for an unknown stack, all of them."""
        return tuple(facts for facts in self.stacks if facts.name != name)


class _Errors:
    """Reads values of the file and collects what is wrong with them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def known(self, where: str, given: Mapping[str, object], allowed: tuple[str, ...]) -> None:
        self.found.extend(
            f"{where}: unknown key {key!r}. Known keys: {', '.join(allowed)}."
            for key in given
            if key not in allowed
        )

    def text(self, where: str, value: object, pattern: str = r".+") -> str:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        self.found.append(f"{where}: has to be a text of the form {pattern}.")
        return ""

    def names(self, where: str, value: object) -> frozenset[str]:
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return frozenset(value)
        self.found.append(f"{where}: has to be a list of names.")
        return frozenset()

    def mapping(self, where: str, value: object) -> Mapping[str, object]:
        if isinstance(value, dict):
            return value
        self.found.append(f"{where}: has to be an object.")
        return {}


def parse_config(text: str, source: str = "policy-config.json") -> Config:
    """Read a configuration; absent keys mean the decision records' own values. Raises ConfigInvalid."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigInvalid(source, (f"it is not JSON: {type(error).__name__}.",)) from None
    errors = _Errors()
    top = errors.mapping(source, raw)
    errors.known(source, top, _TOP)
    cap = top.get("userCap", adr.USER_CAP)
    if not isinstance(cap, int) or isinstance(cap, bool) or not 1 <= cap <= 100:
        errors.found.append("userCap: has to be a number from 1 to 100 (Atlas allows 100 users a project).")
        cap = adr.USER_CAP
    if top.get("unknown", "report") not in ("report", "fail"):
        errors.found.append("unknown: has to be report or fail.")
    audit_database = top.get("auditDatabase", adr.DATABASE)
    if audit_database not in adr.AUDIT_DATABASES:
        errors.found.append(f"auditDatabase: has to be one of {', '.join(adr.AUDIT_DATABASES)}.")
    given = errors.mapping("stacks", top.get("stacks"))
    config = Config(
        stacks=tuple(_stack(errors, name, value) for name, value in given.items()),
        user_cap=cap,
        waivers=_waivers(errors, top.get("waivers", [])),
        decision_records=errors.names("decisionRecords", top.get("decisionRecords", list(_RECORDS))),
        shared_secret_outputs=errors.names("sharedSecretOutputs", top.get("sharedSecretOutputs", [])),
        fail_unknown=top.get("unknown") == "fail",
        audit_database=str(audit_database),
    )
    if errors.found:
        raise ConfigInvalid(source, tuple(errors.found))
    return config


def load_config(path: Path = DEFAULT_FILE, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration file, and what the environment asks of it: it can make the pack stricter, never laxer.

    Raises ConfigInvalid, also where the file cannot be read or the environment asks for what there is not.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(path.name, (f"it cannot be read: {type(error).__name__}.",)) from None
    asked = (environment or {}).get(UNKNOWN_SETTING, "")
    if asked not in ("", "report", "fail"):
        raise ConfigInvalid("the environment", (f"{UNKNOWN_SETTING}: has to be report or fail.",))
    config = parse_config(text, path.name)
    return replace(config, fail_unknown=True) if asked == "fail" else config


def _stack(errors: _Errors, name: str, value: object) -> StackFacts:
    where = f"stacks.{name}"
    raw = errors.mapping(where, value)
    errors.known(where, raw, (*_REQUIRED, *_OPTIONAL))
    read = {key: errors.text(f"{where}.{key}", raw.get(key), form) for key, form in _REQUIRED.items()}
    legacy = {key: errors.names(f"{where}.{key}", raw.get(key, [])) for key in _OPTIONAL}
    return StackFacts(
        name=name,
        project_id=read["projectId"],
        account=read["account"],
        cluster=read["cluster"],
        kms_alias=read["kmsAlias"],
        runtime_family=read["runtimeFamily"],
        schema_family=read["schemaFamily"],
        runtime_role=read["runtimeRole"],
        schema_role=read["schemaRole"],
        legacy_users=legacy["legacyUsers"],
        legacy_roles=legacy["legacyRoles"],
        legacy_secrets=legacy["legacySecrets"],
    )


def _waivers(errors: _Errors, value: object) -> tuple[Waiver, ...]:
    if not isinstance(value, list):
        errors.found.append("waivers: has to be a list.")
        return ()
    keys = ("id", "user", "decision", "permits")
    read = []
    for index, item in enumerate(value):
        where = f"waivers[{index}]"
        raw = errors.mapping(where, item)
        errors.known(where, raw, keys)
        read.append(
            Waiver(
                id=errors.text(f"{where}.id", raw.get("id")),
                user=errors.text(f"{where}.user", raw.get("user")),
                decision=errors.text(f"{where}.decision", raw.get("decision")),
                permits=errors.names(f"{where}.permits", raw.get("permits")),
            )
        )
    return tuple(read)
