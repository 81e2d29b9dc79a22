"""Findings that follow from the declared privileges, and the waivers that accept them.

What ADR 0002 and ADR 0006 hold apart and the declared roles nevertheless permit is a waiver in the manifest, named
after the decision that accepts it.

Rules: "audit" — nobody changes, erases or forges the audit log; only the holder of a custom role that names it may add
to it (ADR 0002; a TTL index erases too, hence CREATE_INDEX). "database" — a runtime credential holds no index
management (ADR 0006, schema administration at deploy time).
"""

from dataclasses import dataclass

from atlas_access.manifest.model import Manifest
from atlas_access.manifest.privileges import declared_privileges
from atlas_access.manifest.records import Consumer, User
from atlas_access.privileges import ATLAS_ACTIONS, actions_on, mongo_actions

AUDIT = "audit"
DATABASE = "database"

AUDIT_ACTIONS = (
    "INSERT", "UPDATE", "REMOVE", "DROP_COLLECTION", "CONVERT_TO_CAPPED", "COLL_MOD", "RENAME_COLLECTION_SAME_DB",
    "CREATE_INDEX", "DROP_DATABASE",
)  # fmt: skip
"""What breaks the audit log: forging, changing, erasing, expiring, hiding."""

INDEX_ACTIONS = ("CREATE_INDEX", "DROP_INDEX")


@dataclass(frozen=True)
class Conflict:
    """What a user can do although a decision record holds it apart: `permits` are what its waiver must name."""

    user: str
    on: str
    permits: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        return f"{self.user} can {' and '.join(_short(self.permits))} {self.what}"


def conflicts(manifest: Manifest) -> tuple[Conflict, ...]:
    """Return every finding of the manifest's declared privileges, in the order of its users."""
    return tuple(finding for user in manifest.users for finding in _conflicts_of(manifest, user))


def _conflicts_of(manifest: Manifest, user: User) -> list[Conflict]:
    found: list[Conflict] = []
    privileges = declared_privileges(manifest, user)
    audit = manifest.audit
    in_effect = actions_on(privileges, audit.database, audit.collection)
    spared = {"INSERT"} if is_audit_writer(manifest, user) else set()
    reach = tuple(
        name for name in AUDIT_ACTIONS if name not in spared and in_effect & set(mongo_actions(name))
    )
    if reach:
        found.append(Conflict(user.name, AUDIT, reach, f"on {audit.namespace}"))
    if any(binding.consumer is Consumer.SERVICE for binding in manifest.bindings_of(user.name)):
        held = {privilege.action for privilege in privileges}
        indexes = tuple(name for name in INDEX_ACTIONS if held & set(mongo_actions(name)))
        if indexes:
            found.append(
                Conflict(user.name, DATABASE, indexes, f"on {manifest.database}, from the running service")
            )
    return found


def is_audit_writer(manifest: Manifest, user: User) -> bool:
    """Whether the user adds to the audit log by a custom role that names it, as ADR 0002 wants."""
    return any(
        grant.action == "INSERT" and manifest.audit.collection in grant.collections
        for role in user.roles
        if not role.is_builtin
        for grant in manifest.role(role.name).grants
    )


def _short(actions: tuple[str, ...]) -> list[str]:
    order = {name: index for index, name in enumerate(ATLAS_ACTIONS)}
    return sorted(actions, key=lambda name: order[name])
