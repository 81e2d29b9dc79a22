"""What the answers mean for a first update: the key's roles, the server's version, the clock, placeholders. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from atlas_access.base import Finding, Status
from atlas_access.clients import ObservedCredentials
from atlas_access.privileges import version_warning

NEEDED = ("GROUP_DATABASE_ACCESS_ADMIN", "GROUP_OWNER")
"""Project Database Access Admin is enough; Project Owner includes it."""

_OF_EVERY_KEY = "ORG_MEMBER"
_SOON_DAYS = 14
_SKEW_SECONDS = 60
"""AWS refuses a request that is signed five minutes off; soak and lease compare times of minutes."""


def judge_credentials(found: ObservedCredentials, project: str, now: float) -> Iterator[Finding]:
    """The key's scope: the role that is needed, in this project, and in no other; and when it ends."""
    name, here = "Atlas credentials", sorted(role for role, of in found.roles if of == project)
    wider = sorted(f"{role}@{of or 'organization'}" for role, of in found.roles if of != project)
    wider = [each for each in wider if not each.startswith(f"{_OF_EVERY_KEY}@")]
    role = "Give the key Project Database Access Admin in the stack's own project, and no other."
    if not set(here) & set(NEEDED):
        yield Finding(Status.BAD, name, f"{', '.join(here) or 'no role'} in project {project}", role)
    elif wider:
        message = f"{', '.join(here)} in project {project}, and more: {', '.join(wider)} (ADR 0001)"
        yield Finding(Status.BAD, name, message, role)
    else:
        yield Finding(Status.GOOD, name, f"{', '.join(here)} in project {project} alone")
    if found.ends is None:
        yield Finding(Status.GOOD, "Atlas credentials' end", "an API key does not expire")
        return
    days = (found.ends - datetime.fromtimestamp(now, UTC)).days
    until = f"the last secret is valid until {found.ends:%Y-%m-%d}"
    late = days < _SOON_DAYS
    remedy = "Make a new secret of the service account in Atlas." if late else ""
    yield Finding(Status.BAD if late else Status.GOOD, "Atlas credentials' end", until, remedy)


def judge_version(version: str) -> Finding:
    """Whether the proofs know what the built-in roles grant on this server."""
    warning = version_warning(version)
    if warning:
        remedy = "Update atlas-access, or accept new actions by decision (accepted_actions of access.yaml)."
        return Finding(Status.UNKNOWN, "server version", warning, remedy)
    return Finding(Status.GOOD, "server version", f"MongoDB {version}, known to the proofs")


def judge_clock(seconds: float) -> Finding:
    """Whether this machine's clock agrees with AWS's; `seconds` is how far it is ahead."""
    message = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS"
    if abs(seconds) <= _SKEW_SECONDS:
        return Finding(Status.GOOD, "clock", message)
    return Finding(Status.BAD, "clock", message, "Let this machine synchronize its clock (NTP).")


def unset(stack: str, placeholders: tuple[str, ...], *, sandbox: bool) -> Finding:
    """The settings whose value is still a placeholder."""
    names = ", ".join(placeholders)
    if not names:
        return Finding(Status.GOOD, "placeholders", "none is left")
    if sandbox:
        return Finding(Status.GOOD, "placeholders", f"the sandbox replaces {names}")
    remedy = f"Set each in Pulumi.{stack}.yaml and take its name off atlas-access:placeholders."
    return Finding(Status.BAD, "placeholders", names, remedy)
