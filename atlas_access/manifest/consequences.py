"""Whether what a manifest grants adds up to what the decision records allow, waivers counted.

A finding needs its waiver, a waiver needs its finding, and someone must be able to read the audit log.
"""

from collections.abc import Iterator

from atlas_access.base import Path, shown
from atlas_access.manifest.file import ManifestFile, WaiverEntry
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.shape import Known, Mistake
from atlas_access.manifest.waivers import AUDIT, Conflict, conflicts


def check_consequences(manifest: Manifest, file: ManifestFile, known: Known) -> Iterator[Mistake]:
    """Find findings without a waiver, waivers without a finding, and an audit log that nobody can read.

    `manifest` holds what could be resolved; nothing is said about users and waivers that could not.
    """
    found = {(finding.user, finding.on): finding for finding in conflicts(manifest)}
    resolved = {user.name for user in manifest.users}
    waived: set[tuple[str, str]] = set()
    unread = list(_nobody_reads(manifest)) if set(known.names("users")) == resolved else []
    for name, waiver in file.waivers.items():
        path: Path = ("waivers", name)
        key = (waiver.user, waiver.on)
        if key in waived:
            yield path, f"{shown(waiver.user)} has another waiver on {waiver.on}", "Put both into one."
        elif waiver.user in resolved and not (unread if waiver.on == AUDIT else "bindings" in known.broken):
            yield from _compare(path, waiver, found.get(key))
        waived.add(key)
    # A waiver that cannot be read, or names nobody, may be the one that a finding needs.
    if "waivers" not in known.broken | known.unsure:
        yield from (_missing(finding) for key, finding in found.items() if key not in waived)
    yield from unread


def _compare(path: Path, waiver: WaiverEntry, finding: Conflict | None) -> Iterator[Mistake]:
    user = waiver.user
    if finding is None:
        yield (
            path,
            f"no longer needed: {user} can do nothing of this on the {waiver.on}",
            "Remove the waiver.",
        )
        return
    for index, name in enumerate(waiver.permits):
        if name not in finding.permits:
            problem = f"permits {shown(name)}, which {user} cannot do"
            yield (
                (*path, "permits", index),
                problem,
                f"Remove it; in effect are: {', '.join(finding.permits)}.",
            )
    if lacking := [name for name in finding.permits if name not in waiver.permits]:
        problem = f"does not name {', '.join(lacking)}, which {user} can do {finding.what}"
        remedy = "Add it if the decision record accepts it; else narrow the role."
        yield (*path, "permits"), problem, remedy


def _missing(finding: Conflict) -> Mistake:
    apart = "keep the audit log in a database of its own (audit.database), " if finding.on == AUDIT else ""
    return (
        ("users", finding.user, "role"),
        f"{finding.user} can {', '.join(finding.permits)} {finding.what}, and no waiver says so",
        f"Narrow the role, {apart}or add under waivers: one that names its decision record.",
    )


def _nobody_reads(manifest: Manifest) -> Iterator[Mistake]:
    readers = {
        role.database for user in manifest.users for role in user.roles if role.name in ("read", "readWrite")
    }
    if (database := manifest.audit.database) not in readers:
        yield (
            ("audit", "database"),
            f"no user can inspect {database}: the audit log's state would stay unproven",
            f"Give the reader a second role: role: [read@{manifest.database}, read@{database}].",
        )
