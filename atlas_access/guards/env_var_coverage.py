"""Guard *env-var-coverage*: every Mongo variable of a source tree is declared in the manifest, every declared one used.

Pure. Source: ADR 0006, which knows five variables and retires seven; a variable was once bound that no code
read. A comment or a message is no use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from atlas_access.base import Finding
from atlas_access.code import CODE, Names, Project
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.variables import Use, unread, uses_in
from atlas_access.manifest import Consumer, Manifest

_RESERVED = re.compile(
    r"atlas-access: reserved (?P<name>[A-Z0-9_]+)[ \t]*[:(-][ \t]*(?P<reason>[^\s)][^\n)]*)"
)


def check(manifest: Manifest, project: Project, manifest_text: str = "") -> Report:
    """Hold a tree's variables against the manifest.

    A declared variable that no code reads yet is marked by a comment, in the tree or in the manifest:
    `atlas-access: reserved NAME: reason`.
    """
    names = project.names
    findings: list[Finding] = []
    notes = list(unread(project))
    read: set[str] = set()
    for file in project.speaking:
        uses = uses_in(file, names, project)
        findings += (finding for use in uses for finding in _judged(file.path, use, names))
        if file.language in CODE:
            read |= {use.name for use in uses}
    reserved = _reserved([manifest_text, *(file.text for file in project.speaking)])
    for name in names.declared:
        if name not in read:
            findings += _unread(manifest, name, reserved, notes)
    return report(Guard.ENV_VAR_COVERAGE, len(project.speaking), findings, notes)


def _judged(path: str, use: Use, names: Names) -> Iterator[Finding]:
    declared, deprecated = names.declared, names.deprecated
    if not use.whole:
        yield wrong(
            path, use.line, f"a variable's name is put together at run time ({use.name}…)",
            "Write the whole name, so that it can be found and checked.",
        )  # fmt: skip
    elif use.name in deprecated:
        yield wrong(path, use.line, f"{use.name} is deprecated", f"Write {deprecated[use.name]} instead.")
    elif use.name not in declared:
        near = get_close_matches(use.name, declared, n=1, cutoff=0.75)
        hint = f"Did you mean {near[0]}?" if near else f"The manifest knows {', '.join(declared)}."
        remedy = f"Declare it among the bindings. {hint}"
        yield wrong(path, use.line, f"{use.name} is not in the manifest", remedy)


def _reserved(texts: Iterable[str]) -> dict[str, str]:
    return {
        match["name"]: match["reason"].strip(" -*/")
        for text in texts
        if "atlas-access: reserved" in text
        for match in _RESERVED.finditer(text)
    }


def _unread(
    manifest: Manifest, name: str, reserved: Mapping[str, str], notes: list[Finding]
) -> Iterator[Finding]:
    source, _, line = manifest.place_of(_place(manifest, name)).partition(":")
    number = int(line) if line.isdigit() else 0
    if name in reserved:
        notes.append(noted(source, number, f"{name} is not read yet: {reserved[name]}"))
        return
    yield wrong(
        source, number, f"{name} is declared, and no code of the tree reads it",
        f"Take it off the manifest, or mark it with a comment: atlas-access: reserved {name}: why.",
    )  # fmt: skip


def _place(manifest: Manifest, name: str) -> str:
    consumers = [binding.consumer for binding in manifest.bindings if binding.variable == name]
    return f"bindings.{(consumers or [Consumer.SERVICE])[0].value}.{name}"
