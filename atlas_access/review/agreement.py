"""Compares the manifest with the policy pack's law, which is written independently; the pack hands its facts in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from atlas_access.base import REVOKED, Finding, Location, Report, Section, Status, both_logins
from atlas_access.manifest import Consumer, Manifest

_SETTINGS = {
    "Atlas project": "atlasProjectId",
    "AWS account": "awsAccountId",
    "cluster": "atlasCluster",
    "KMS alias": "kmsAlias",
}
_TASKS = (Consumer.SERVICE, Consumer.SCHEMA_TASK)


def manifest_facts(
    manifest: Manifest, settings: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """What a manifest and the stacks' settings declare: a name in words, its value, and the place in the manifest."""
    for env in manifest.environments:
        for name, key in _SETTINGS.items():
            if key in settings.get(env, {}):
                yield f"{env}: {name}", settings[env][key], ""
        audit = manifest.audit
        yield f"{env}: database", manifest.database, "database"
        yield f"{env}: audit log", f"{audit.database}.{audit.collection}", "audit"
        yield f"{env}: user cap", str(manifest.user_cap), "user_cap"
        yield f"{env}: second name of a user", both_logins("USER")[1], ""
        yield f"{env}: role of a revoked user", str(REVOKED), ""
        for user in manifest.users:
            roles = _listed(f"{role.name}@{role.database}" for role in user.roles)
            yield f"{env}: user {user.name}", roles, f"users.{user.name}"
        for role in manifest.roles:
            for grant in role.grants:
                places = (f"{manifest.database_of(name)}.{name}" for name in grant.collections)
                yield (
                    f"{env}: role {role.name}, {grant.action}",
                    _listed(places),
                    f"roles.{role.name}.{grant.action}",
                )
        for each in manifest.credentials_for(env):
            yield f"{env}: secret {each.secret_name}", f"{each.user} on {each.cluster}", f"users.{each.user}"
        for consumer in _TASKS:
            for each in manifest.bindings_for(env, consumer):
                yield (
                    f"{env}: variable {each.variable}",
                    each.secret_name,
                    f"bindings.{consumer.value}.{each.variable}",
                )
        for old in manifest.deprecated_variables:
            yield f"{env}: deprecated variable {old.name}", old.successor, f"deprecated_variables.{old.name}"
        for waiver in manifest.waivers:
            yield (
                f"{env}: waiver {waiver.id}",
                f"{waiver.user} {_listed(waiver.permits)}",
                f"waivers.{waiver.id}",
            )
        yield from _legacy(manifest, env)


def _legacy(manifest: Manifest, env: str) -> Iterator[tuple[str, str, str]]:
    for user in manifest.legacy:
        at = f"legacy.{user.environment}.users.{user.name}"
        if user.environment == env:
            yield f"{env}: legacy user {user.name}", "declared", at
            if not user.role.is_builtin:
                yield f"{env}: legacy role {user.role.name}", "declared", at
        for secret in user.secrets:
            if secret.environment == env:
                yield f"{env}: legacy secret {secret.name}", "declared", at


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(sorted(parts))


def agreement_report(
    manifest: Manifest,
    settings: Mapping[str, Mapping[str, str]],
    law: Iterable[tuple[str, str, str]],
    lapsed: Iterable[str],
    source: str,
) -> Report:
    """Where manifest and law disagree, in words, and which of them is wrong by which decision."""
    declared = {name: (value, at) for name, value, at in manifest_facts(manifest, settings)}
    lawful = {name: (value, decision) for name, value, decision in law}
    undecided = tuple(lapsed)
    findings = [_undecided(each) for each in undecided]
    for name in dict.fromkeys((*declared, *lawful)):
        mine, at = declared.get(name, ("", ""))
        theirs, decision = lawful.get(name, ("", ""))
        unset = name.partition(": ")[2] in _SETTINGS and name not in declared
        if mine != theirs and not unset:
            line = manifest.line_of(at) if at else None
            place = Location(source, line) if line else None
            findings.append(_difference(name, mine, theirs, decision, place))
    status = Status.BAD if findings else Status.GOOD
    count = f"{len(findings)} difference{'s' if len(findings) != 1 else ''}"
    summary = (
        f"manifest and law: {count}" if findings else f"manifest and law say the same, {len(lawful)} facts"
    )
    label = "DISAGREE" if findings else "AGREE"
    return Report("check", status, label, summary, (Section(findings=tuple(findings)),), source=source)


def _undecided(entry: str) -> Finding:
    return Finding(
        Status.BAD,
        "law",
        f"{entry}. The law is wrong: without the decision this entry is not in force.",
        "Write the decision record with its header and name its path and digest in policy-config.json.",
        code="undecided",
    )


def _difference(name: str, mine: str, theirs: str, decision: str, place: Location | None) -> Finding:
    by = f"by {decision}" if decision else "by the law, which only a decision changes"
    if not theirs:
        message = f"{name} is declared ({mine}), the law does not know it. The manifest is wrong {by}."
        remedy = "Remove it, or decide on it: name it in policy/policy-config.json, reviewed by its owners."
    elif not mine:
        message = (
            f"{name} is in the law ({theirs}), the manifest does not declare it. The manifest is wrong {by}."
        )
        remedy = "Declare it, or take it out of policy/policy-config.json in a reviewed change."
    else:
        message = f"{name} is {mine} in the manifest and {theirs} in the law. The manifest is wrong {by}."
        remedy = "Follow the law, or change both in one reviewed pull request, with the decision."
    return Finding(Status.BAD, name.partition(": ")[2], message, remedy, place, code="disagreement")
