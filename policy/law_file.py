"""Reads the law (`policy-config.json`): checked by its schema, every mistake at once, `{env}` filled in.

`common` holds for every environment; what an environment says besides is added to it, entry by entry. Decisions are
read from the documents beside the pack's folder; the file alone cannot loosen a limit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from policy.decisions import Decisions, read_decision
from policy.law import (
    CUSTOM_ROLE_DATABASE,
    ContainerLaw,
    Environment,
    Excepted,
    Law,
    RoleLaw,
    SecretLaw,
    TaskLaw,
    UserLaw,
    Waiver,
)
from policy.schema import mistakes

UNKNOWN_SETTING: Final = "ATLAS_ACCESS_POLICY_UNKNOWN"
"""`fail`, as CI sets it, makes an unexpected unknown value a violation, whatever the file says."""

HERE: Final = Path(__file__).resolve().parent
DEFAULT_FILE: Final = HERE / "policy-config.json"
SCHEMA_FILE: Final = HERE / "policy-config.schema.json"


class LawInvalid(ValueError):
    """The law's file is wrong; `errors` names every place."""

    def __init__(self, source: str, errors: tuple[str, ...]) -> None:
        self.errors = errors
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        super().__init__("\n  ".join([f"{source} has {count}; no policy was built.", *errors]))


def load_law(path: Path = DEFAULT_FILE, environment: Mapping[str, str] | None = None) -> Law:
    """Read the law, and what the environment asks of it: it can make the pack stricter, never laxer.

    Decisions are looked up in the folder above the law's. Raises LawInvalid, also where the file cannot be read or the
    environment asks for what there is not.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LawInvalid(path.name, (f"it cannot be read: {type(error).__name__}.",)) from None
    asked = (environment or {}).get(UNKNOWN_SETTING, "")
    if asked not in ("", "report", "fail"):
        raise LawInvalid("the environment", (f"{UNKNOWN_SETTING}: has to be report or fail.",))
    law = parse_law(text, path.resolve().parent.parent, path.name)
    return replace(law, fail_unknown=True) if asked == "fail" else law


def parse_law(text: str, root: Path = HERE.parent, source: str = "policy-config.json") -> Law:
    """Read a law's text; `root` is the folder that decisions' paths start from. Raises LawInvalid."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LawInvalid(source, (f"it is not JSON: {type(error).__name__}.",)) from None
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    errors = tuple(mistakes(raw, schema, schema))
    if errors:
        raise LawInvalid(source, errors)
    common = raw.get("common", {})
    merged = {name: _merge(common, own) for name, own in raw["environments"].items()}
    whole = {"$ref": "#/$defs/whole"}
    errors = tuple(
        error
        for name, given in merged.items()
        for error in mistakes(given, whole, schema, f"environments.{name}")
    )
    environments = () if errors else tuple(_environment(name, given) for name, given in merged.items())
    errors = errors or tuple(_contradictions(environments, set(merged)))
    if errors:
        raise LawInvalid(source, errors)
    approvers = frozenset(raw.get("approvers", ()))
    decisions = {
        name: read_decision(name, given["path"], given["sha256"], approvers, root)
        for name, given in raw.get("decisions", {}).items()
    }
    exceptions = tuple(Excepted(**given) for given in raw.get("exceptions", ()))
    return Law(environments, Decisions(decisions), exceptions, raw.get("unknown") == "fail")


def _merge(common: Any, own: Any) -> Any:
    """What is common with what an environment says besides: objects by key, anything else replaced."""
    if not isinstance(common, dict) or not isinstance(own, dict):
        return own
    return {**common, **{key: _merge(common[key], own[key]) if key in common else own[key] for key in own}}


def _filled(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace("{env}", name)
    if isinstance(value, dict):
        return {_filled(key, name): _filled(item, name) for key, item in value.items()}
    return [_filled(item, name) for item in value] if isinstance(value, list) else value


def _environment(name: str, given: Mapping[str, Any]) -> Environment:
    own = _filled(given, name)
    legacy = own.get("legacy", {})
    return Environment(
        name=name,
        project=own["projectId"],
        account=own["account"],
        cluster=own["cluster"],
        key_alias=own["kmsAlias"],
        keys=frozenset(own.get("kmsKeys", ())),
        database=own["database"],
        audit=_namespace(own["audit"]["collection"]),
        audit_role=own["audit"]["role"],
        secret_prefix=own["secretPrefix"],
        variable_prefix=own["variablePrefix"],
        users={user: _user(user, each) for user, each in own["users"].items()},
        roles={role: _role(role, each) for role, each in own["roles"].items()},
        secrets={
            secret: SecretLaw(secret, each["user"], each.get("cluster", name), frozenset(each["readers"]))
            for secret, each in own["secrets"].items()
        },
        tasks={family: _task(family, each) for family, each in own["tasks"].items()},
        legacy_users=frozenset(legacy.get("users", ())),
        legacy_roles=frozenset(legacy.get("roles", ())),
        legacy_secrets=frozenset(legacy.get("secrets", ())),
        outputs={
            output: (each["user"], frozenset(each["to"])) for output, each in own.get("outputs", {}).items()
        },
        one_tenant=tuple(own.get("oneTenant", ())),
        second_name=own.get("secondName", ""),
        revoked_role=_held(own.get("revokedRole", "@")),
        user_cap=own["userCap"],
        rotation_headroom=own.get("rotationHeadroom", 0),
        cap_decision=own.get("capDecision", ""),
        waivers=tuple(
            Waiver(each, waived["user"], waived["decision"], frozenset(waived["permits"]))
            for each, waived in own.get("waivers", {}).items()
        ),
    )


def _namespace(text: str) -> tuple[str, str]:
    database, _, collection = text.partition(".")
    return database, collection


def _held(text: str) -> tuple[str, str]:
    role, _, database = text.partition("@")
    return role, database or CUSTOM_ROLE_DATABASE


def _user(name: str, given: Mapping[str, Any]) -> UserLaw:
    held = tuple(map(_held, given["roles"]))
    return UserLaw(name, held, frozenset(given.get("variables", ())), given.get("decision", ""))


def _role(name: str, given: Mapping[str, Any]) -> RoleLaw:
    grants = frozenset(
        (action, *_namespace(place)) for action, places in given["actions"].items() for place in places
    )
    return RoleLaw(name, grants, given.get("decision", ""))


def _task(family: str, given: Mapping[str, Any]) -> TaskLaw:
    return TaskLaw(
        family,
        frozenset(given["executionRoles"]),
        frozenset(given.get("taskRoles", ())),
        {
            name: ContainerLaw(each.get("variables", {}), each.get("deprecated", {}))
            for name, each in given["containers"].items()
        },
        frozenset(given.get("services", ())),
        frozenset(given.get("schedulers", ())),
    )


def _contradictions(environments: tuple[Environment, ...], names: set[str]) -> list[str]:
    """Where the law contradicts itself: each sentence names both places."""
    found: list[str] = []
    for home in environments:
        at = f"environments.{home.name}"
        for user in home.users.values():
            for role, database in user.roles:
                if database == CUSTOM_ROLE_DATABASE and role not in home.roles:
                    found.append(f"{at}.users.{user.name}: {role} is not in {at}.roles.")
        if home.audit_role and home.audit_role not in home.roles:
            found.append(f"{at}.audit.role: {home.audit_role} is not in {at}.roles.")
        for secret in home.secrets.values():
            if secret.cluster not in names:
                found.append(f"{at}.secrets.{secret.name}: {secret.cluster} is no environment.")
            if not secret.name.startswith(home.secret_prefix):
                found.append(f"{at}.secrets.{secret.name}: does not begin with {home.secret_prefix}.")
        for task in home.tasks.values():
            for name, box in task.containers.items():
                found.extend(
                    _of_variable(home, task, f"{at}.tasks.{task.family}.{name}", variable, secret)
                    for variable, secret in box.variables.items()
                )
        found.extend(
            f"{at}.waivers.{waiver.id}: {waiver.user} is not in {at}.users."
            for waiver in home.waivers
            if waiver.user not in home.users
        )
    for key in ("project", "account", "cluster", "secret_prefix"):
        values = [getattr(home, key) for home in environments]
        found.extend(
            f"environments: {value} is the {key} of two environments."
            for value in dict.fromkeys(values)
            if values.count(value) > 1
        )
    return [each for each in found if each]


def _of_variable(home: Environment, task: TaskLaw, at: str, variable: str, secret: str) -> str:
    law = home.secrets.get(secret)
    if law is None:
        return f"{at}: {variable} names {secret}, which is not in the environment's secrets."
    missing = task.execution_roles - law.readers
    if missing:
        return f"{at}: {variable} names {secret}, which {', '.join(sorted(missing))} may not read."
    user = home.users.get(law.user)
    if law.cluster == home.name and user is not None and variable not in user.variables:
        return f"{at}: {variable} carries {law.user}, whose variables do not include it."
    return ""
