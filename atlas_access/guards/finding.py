"""What a guard has to say: findings, each with file, line and remedy, and what it could not judge.

Records only. It must never hold a secret: what a line says is described, not quoted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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


class Outcome(StrEnum):
    """A guard's answer: nothing found, something found, or not everything could be judged."""

    CLEAN = "clean"
    FOUND = "found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: where, what, and the remedy. `line` is 0 where a place has no lines."""

    path: str
    line: int
    what: str
    remedy: str

    @property
    def place(self) -> str:
        """`src/db.ts:12`, or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, order=True)
class Note:
    """Something that is not wrong: left out, accepted, or (when `blocks`) not judged although it matters."""

    path: str
    line: int
    what: str
    blocks: bool = False

    @property
    def place(self) -> str:
        """`src/db.ts:12`, or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True)
class Report:
    """What one guard found; `looked_at` counts the files, values or documents that it covered."""

    guard: Guard
    looked_at: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Found before unknown, unknown before clean."""
        if self.findings:
            return Outcome.FOUND
        return Outcome.UNKNOWN if any(note.blocks for note in self.notes) else Outcome.CLEAN


def report(guard: Guard, looked_at: int, findings: Iterable[Finding], notes: Iterable[Note] = ()) -> Report:
    """A report with findings and notes in the order of files and lines, each once."""
    return Report(guard, looked_at, tuple(sorted(set(findings))), tuple(sorted(set(notes))))


def overall(reports: Iterable[Report]) -> Outcome:
    """The answer of several guards together."""
    outcomes = {each.outcome for each in reports}
    for outcome in (Outcome.FOUND, Outcome.UNKNOWN):
        if outcome in outcomes:
            return outcome
    return Outcome.CLEAN
