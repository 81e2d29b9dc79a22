"""What a guard covered and found, in the shared record of a finding; what a line says is described, never quoted.

A finding that is bad is wrong. A note is good (left out or accepted) or unknown (not judged although it matters).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from atlas_access.base import Finding, Location, Status


class Guard(StrEnum):
    """The guards by name, in the order in which `all` runs them."""

    ENV_VAR_COVERAGE = "env-var-coverage"
    SILENT_FALL_BACK = "silent-fall-back"
    REFERENCE_COLLECTIONS = "reference-collections"
    NO_URI_IN_GIT = "no-uri-in-git"
    DOCS_SYNC = "docs-sync"
    VALIDATE_SECRETS = "validate-secrets"
    TERRAFORM_OWNERSHIP = "terraform-ownership"
    LOCAL_FILE = "local-file"


@dataclass(frozen=True)
class Report:
    """What one guard found; `inspected` counts the files, values or documents that it covered."""

    guard: Guard
    inspected: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def status(self) -> Status:
        """Bad before unknown, unknown before good."""
        if self.findings:
            return Status.BAD
        return Status.UNKNOWN if self.unjudged else Status.GOOD

    @property
    def unjudged(self) -> tuple[Finding, ...]:
        """The notes of what could not be judged although it matters."""
        return tuple(note for note in self.notes if note.status is Status.UNKNOWN)


def wrong(path: str, line: int, what: str, remedy: str) -> Finding:
    """Something that is wrong; `line` is 0 where a place has no lines."""
    return Finding(Status.BAD, "", what, remedy, Location(path, line))


def noted(path: str, line: int, what: str, *, blocks: bool = False) -> Finding:
    """Something that is not wrong, or (when it `blocks`) not judged although it matters."""
    return Finding(Status.UNKNOWN if blocks else Status.GOOD, "", what, location=Location(path, line))


def report(
    guard: Guard, inspected: int, findings: Iterable[Finding], notes: Iterable[Finding] = ()
) -> Report:
    """A report with findings and notes in the order of files and lines, each once."""
    return Report(guard, inspected, in_order(findings), in_order(notes))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by file and line, each once."""
    return tuple(sorted(set(findings), key=lambda each: (each.place, each.message, each.remedy)))
