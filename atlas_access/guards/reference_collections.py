"""Guard *reference-collections*: what is read through a connection that reads across is on the list of what may be.

Pure. Source: ADR 0004 and 0006: another environment's cluster is read for four collections of public reference data
only. A collection whose name cannot be read is "not judged".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from atlas_access.base import Finding
from atlas_access.code import CODE, Project, SourceFile
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.variables import unread
from atlas_access.manifest import Manifest


def check(manifest: Manifest, project: Project) -> Report:
    """Judge every collection that code reaches through the manifest's variable that reads across."""
    allowed, across = manifest.read_across, project.names.across
    findings, notes = [], list(unread(project, across))
    code = [each for each in project.speaking if each.language in CODE]
    for file in code:
        for each in project.events(file.path, "collection"):
            if not across & set(each.other.split(",")):
                continue
            if not each.name:
                what = "which collection is read here, through the reference connection, is not in sight: not judged"
                notes.append(noted(file.path, each.line, what, blocks=True))
            elif each.name not in allowed:
                near = get_close_matches(each.name, allowed, n=1, cutoff=0.75)
                hint = f" Did you mean {near[0]}?" if near else ""
                remedy = f"Only {', '.join(allowed)} may be (read_across in access.yaml).{hint}"
                what = f"{each.name} is used through the reference connection"
                findings.append(wrong(file.path, each.line, what, remedy))
    notes += _unopened(project, across, code)
    return report(Guard.REFERENCE_COLLECTIONS, len(code), findings, notes)


def _unopened(project: Project, across: frozenset[str], code: Sequence[SourceFile]) -> Iterator[Finding]:
    """A variable that is handed to what is out of sight, and that nothing in sight opens a connection with."""
    kinds = ("handed", "opens", "collection")
    events = [(file, each) for file in code for each in project.events(file.path, *kinds)]
    others = [each for _, each in events if each.kind != "handed"]
    opened = {name for each in others for name in (each.name, *each.other.split(","))}
    for file, each in events:
        if each.kind == "handed" and each.name in across - opened:
            what = f"{each.name} is handed to what is not in sight: what is read with it is not judged"
            yield noted(file.path, each.line, what, blocks=True)
