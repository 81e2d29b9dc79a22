"""Sorts what a user holds beyond its declared privileges: wrong, new in a newer server, accepted, or unknown."""

from collections.abc import Iterable
from dataclasses import dataclass

from atlas_access.privileges.builtin_roles import Effect, effect_of, effects_of_role, is_documented
from atlas_access.privileges.model import Privilege, Privileges, Scope


@dataclass(frozen=True)
class Excess:
    """What is held beyond the declared and tolerated privileges; none is in two of these.

    `newer` may be in a built-in role of the user in a version that is not documented here. `accepted` and `unknown` are
    of actions that no table of this project names, on a database of declared privileges. All others are `wrong`.
    """

    wrong: Privileges
    newer: Privileges
    accepted: Privileges
    unknown: Privileges


def excess(
    held: Privileges, declared: Privileges, roles: Iterable[str], accepted: Iterable[str], version: str
) -> Excess:
    """Sort what is `held` and not `declared` (with what patch releases may add).

    `roles` are the user's, as `name@database`, `accepted` the actions that a decision accepts (`accepted_actions` of
    access.yaml), `version` is the server's own.
    """
    extra, names, databases = held - declared, frozenset(accepted), {each.database for each in declared}
    unnamed = frozenset(
        each
        for each in extra
        if effect_of(each.action) is Effect.UNKNOWN
        and each.scope is Scope.NAMESPACE
        and each.database in databases
    )
    allowed = frozenset(each for each in unnamed if each.action in names)
    newer = frozenset[Privilege]()
    if not is_documented(version):
        newer = frozenset(each for each in extra - unnamed if _may_be_new(each, tuple(roles)))
    return Excess(extra - unnamed - newer, newer, allowed, unnamed - allowed)


def _may_be_new(privilege: Privilege, roles: Iterable[str]) -> bool:
    return any(
        effect_of(privilege.action) in effects_of_role(name) and privilege.database == database
        for name, _, database in (role.rpartition("@") for role in roles)
    )
