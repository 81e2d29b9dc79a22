"""Guard *reference-collections*: what is read through the reference connection is on the list of what may be.

Pure. Source: ADR 0004 and 0006: another environment's cluster is read for four collections of public reference data
only. A collection whose name cannot be read is "not judged".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from atlas_access.base import Finding
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.language import Language
from atlas_access.guards.reference_python import functions_in_python, reads_in_python
from atlas_access.guards.reference_script import functions_in_script, reads_in_script
from atlas_access.guards.script_tokens import tokens_of
from atlas_access.guards.source import SourceFile
from atlas_access.guards.variables import python_of, unread
from atlas_access.manifest import Manifest

VARIABLE = "MONGODB_REFERENCE_URI"
_HINT = re.compile(r"(?i)ref(?:erence)?_?(?:db|database|client|conn|pool|mongo)")
"""What a file without a name of its own for the connection does not contain."""


@dataclass(frozen=True, order=True)
class Read:
    """A collection that is used through the reference connection; `name` is empty when the code does not tell."""

    line: int
    name: str


def check(manifest: Manifest, files: Sequence[SourceFile]) -> Report:
    """Judge every collection that code reaches through the reference connection, across the whole tree."""
    allowed = manifest.read_across
    findings: list[Finding] = []
    notes: list[Finding] = []
    code = [file for file in files if file.language in (Language.PYTHON, Language.SCRIPT) and not file.binary]
    openers = frozenset(name for file in code for name in _functions(file))
    speaks = re.compile(
        "|".join([_HINT.pattern, re.escape(VARIABLE), *(re.escape(name) for name in sorted(openers))])
    )
    notes += (
        note
        for file in files
        if file.language is Language.UNREAD and VARIABLE in file.text
        for note in unread(file)
    )
    for file in code:
        if not speaks.search(file.text):
            continue
        if file.language is Language.PYTHON and python_of(file) is None:
            notes.append(noted(file.path, 0, "cannot be parsed as Python: not judged", blocks=True))
            continue
        for read in sorted({Read(*each) for each in _reads(file, openers)}):
            if not read.name:
                notes.append(
                    noted(
                        file.path, read.line,
                        "the collection's name is put together at run time: not judged; write it as a literal",
                        blocks=True,
                    )
                )  # fmt: skip
            elif read.name not in allowed:
                near = get_close_matches(read.name, allowed, n=1, cutoff=0.75)
                hint = f" Did you mean {near[0]}?" if near else ""
                findings.append(
                    wrong(
                        file.path, read.line, f"{read.name} is used through the reference connection",
                        f"Only {', '.join(allowed)} may be (read_across in access.yaml).{hint}",
                    )
                )  # fmt: skip
    return report(Guard.REFERENCE_COLLECTIONS, len(code), findings, notes)


def _functions(file: SourceFile) -> frozenset[str]:
    if VARIABLE not in file.text:
        return frozenset()
    if file.language is Language.SCRIPT:
        return functions_in_script(tokens_of(file.text), VARIABLE)
    tree = python_of(file)
    return functions_in_python(tree, VARIABLE) if tree is not None else frozenset()


def _reads(file: SourceFile, openers: frozenset[str]) -> Sequence[tuple[int, str]]:
    if file.language is Language.SCRIPT:
        return tuple(reads_in_script(tokens_of(file.text), VARIABLE, openers))
    tree = python_of(file)
    return tuple(reads_in_python(tree, VARIABLE, openers)) if tree is not None else ()
