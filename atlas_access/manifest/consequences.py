"""Whether what a manifest grants adds up to what the decision records allow, waivers counted.

For: the rules about effective privileges: a finding needs its waiver, a waiver needs its finding, and someone must be
able to look at the audit log.
Never: accepts a finding by itself.
"""

from collections.abc import Iterator

from atlas_access.base import Document, Path, shown, suggestion
from atlas_access.manifest.checks import declared
from atlas_access.manifest.file import ManifestFile
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.shape import Mistake
from atlas_access.manifest.waivers import AUDIT, Finding, findings


def check_consequences(manifest: Manifest, file: ManifestFile, document: Document) -> Iterator[Mistake]:
    """Find findings without a waiver, waivers without a finding, and an audit log that nobody can read.

    `manifest` holds what could be resolved; nothing is said about users and waivers that could not.
    """
    users_in_file = declared(document, "users")
    found = {(finding.user, finding.on): finding for finding in findings(manifest)}
    resolved = {user.name for user in manifest.users}
    waived: set[tuple[str, str]] = set()
    # An entry that cannot be read may be the waiver that a finding needs.
    readable = declared(document, "waivers") == set(file.waivers)
    for name, waiver in file.waivers.items():
        path: Path = ("waivers", name)
        if waiver.user not in users_in_file:
            yield (
                (*path, "user"),
                f"waiver for a user {shown(waiver.user)} that is not defined",
                f"Remove the waiver.{suggestion(waiver.user, users_in_file)}",
            )
            readable = False
            continue
        key = (waiver.user, waiver.on)
        if key in waived:
            yield path, f"{shown(waiver.user)} has another waiver on {waiver.on}", "Put both into one."
        elif waiver.user in resolved:
            yield from _compare(path, waiver.permits, found.get(key), waiver.user, waiver.on)
        waived.add(key)
    broken = users_in_file - resolved
    for finding in found.values():
        if (finding.user, finding.on) not in waived and readable:
            yield _missing(finding)
    if not broken:
        yield from _nobody_reads(manifest)


def _compare(
    path: Path, permits: tuple[str, ...], finding: Finding | None, user: str, on: str
) -> Iterator[Mistake]:
    if finding is None:
        yield path, f"no longer needed: {user} can do nothing of this on the {on}", "Remove the waiver."
        return
    stale = [name for name in permits if name not in finding.permits]
    lacking = [name for name in finding.permits if name not in permits]
    seen: set[str] = set()
    for index, name in enumerate(permits):
        if name in seen:
            yield (*path, "permits", index), f"{shown(name)} is listed twice", "Name it once."
        elif name in stale:
            yield (
                (*path, "permits", index),
                f"permits {shown(name)}, which {user} cannot do",
                f"Remove it; in effect are: {', '.join(finding.permits)}.",
            )
        seen.add(name)
    if lacking:
        yield (
            (*path, "permits"),
            f"does not name {', '.join(lacking)}, which {user} can do {finding.what}",
            "Add it if the decision record accepts it; else narrow the role.",
        )


def _missing(finding: Finding) -> Mistake:
    way_out = (
        "Narrow the role, keep the audit log in a database of its own (audit.database), "
        if finding.on == AUDIT
        else "Narrow the role, "
    )
    return (
        ("users", finding.user, "role"),
        f"{finding.user} can {', '.join(finding.permits)} {finding.what}, and no waiver says so",
        f"{way_out}or add under waivers: one that names its decision record.",
    )


def _nobody_reads(manifest: Manifest) -> Iterator[Mistake]:
    readers = {
        role.database for user in manifest.users for role in user.roles if role.name in ("read", "readWrite")
    }
    database = manifest.audit.database
    if database not in readers:
        yield (
            ("audit", "database"),
            f"no user can look at {database}: the audit log's state would stay unproven",
            f"Give the reader a second role: role: [read@{manifest.database}, read@{database}].",
        )
