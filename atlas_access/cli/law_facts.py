"""The law as plain facts by name, for a comparison with a manifest: what, its value, and the decision behind it."""

from __future__ import annotations

from collections.abc import Iterator

from policy.law import Environment, Law

Fact = tuple[str, str, str]
"""A name in words (`production: user reporter`), its value in words, and the decision that allows it."""


def facts(law: Law) -> tuple[Fact, ...]:
    """Everything of the law that a manifest and a stack's settings declare too."""
    return tuple(fact for home in law.environments for fact in _of(home))


def _of(home: Environment) -> Iterator[Fact]:
    at = f"{home.name}: "
    yield f"{at}Atlas project", home.project, ""
    yield f"{at}AWS account", home.account, ""
    yield f"{at}cluster", home.cluster, ""
    yield f"{at}KMS alias", home.key_alias, ""
    yield f"{at}database", home.database, ""
    yield f"{at}audit log", ".".join(home.audit), ""
    yield f"{at}user cap", str(home.user_cap), home.cap_decision
    if home.second_name:
        yield f"{at}second name of a user", f"USER{home.second_name}", ""
    if any(home.revoked_role):
        yield f"{at}role of a revoked user", "@".join(home.revoked_role), ""
    for user in home.users.values():
        yield (
            f"{at}user {user.name}",
            listed(f"{role}@{database}" for role, database in user.roles),
            user.decision,
        )
    for role in home.roles.values():
        for action in sorted({action for action, *_ in role.grants}):
            places = (f"{database}.{name}" for given, database, name in role.grants if given == action)
            yield f"{at}role {role.name}, {action}", listed(places), role.decision
    for secret in home.secrets.values():
        yield f"{at}secret {secret.name}", f"{secret.user} on {secret.cluster}", ""
    for task in home.tasks.values():
        for box in task.containers.values():
            for variable, name in box.variables.items():
                yield f"{at}variable {variable}", name, ""
            for old, successor in box.deprecated.items():
                yield f"{at}deprecated variable {old}", successor, ""
    for waiver in home.waivers:
        yield f"{at}waiver {waiver.id}", f"{waiver.user} {listed(waiver.permits)}", waiver.decision
    for kind in ("users", "roles", "secrets"):
        for name in sorted(getattr(home, f"legacy_{kind}")):
            yield f"{at}legacy {kind.removesuffix('s')} {name}", "declared", ""


def listed(parts: Iterator[str] | frozenset[str]) -> str:
    """Parts in order, joined."""
    return ", ".join(sorted(parts))
