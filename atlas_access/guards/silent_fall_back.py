"""Guard *silent-fall-back*: no Mongo variable stands in for another one that is missing.

Pure. Source: ENG-271, where a reader's connection silently fell back to a credential with other privileges and users
saw errors instead of a failed start. A missing variable must stop the program, never change who it logs in as.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from atlas_access.base import Finding
from atlas_access.guards.fall_back_python import pairs_in_python
from atlas_access.guards.fall_back_script import pairs_in_script
from atlas_access.guards.fall_back_text import pairs_in_text
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.language import Language
from atlas_access.guards.script_tokens import tokens_of
from atlas_access.guards.source import SourceFile
from atlas_access.guards.variables import mentioned, parsed, unread, without_comments

_A_PAIR = 2


@dataclass(frozen=True, order=True)
class Pair:
    """At `line`, `fallback` is used where `wanted` is missing."""

    line: int
    wanted: str
    fallback: str


def check(files: Sequence[SourceFile], known: Collection[str]) -> Report:
    """Find every place where one Mongo variable falls back to another; `known` are the manifest's variables."""
    findings: list[Finding] = []
    notes: list[Finding] = []
    inspected = 0
    for file in files:
        if file.binary or file.language is Language.OTHER:
            continue
        inspected += 1
        if len(mentioned(file.text)) < _A_PAIR:
            continue
        if file.language is Language.UNREAD:
            notes += unread(file)
            continue
        try:
            pairs = _pairs(file, frozenset(known))
        except SyntaxError as error:
            notes.append(
                noted(file.path, error.lineno or 0, "cannot be parsed as Python: not judged", blocks=True)
            )
            continue
        findings += (
            wrong(
                file.path, pair.line, f"{pair.wanted} silently falls back to {pair.fallback}",
                f"Stop with an error that names {pair.wanted} when it is not set.",
            )
            for pair in pairs
        )  # fmt: skip
    return report(Guard.SILENT_FALL_BACK, inspected, findings, notes)


def _pairs(file: SourceFile, known: frozenset[str]) -> Iterable[Pair]:
    match file.language:
        case Language.PYTHON:
            found = pairs_in_python(parsed(file.text), known)
        case Language.SCRIPT:
            found = pairs_in_script(tokens_of(file.text), known)
        case _:
            found = pairs_in_text(without_comments(file), file.language)
    return sorted({Pair(*each) for each in found})
