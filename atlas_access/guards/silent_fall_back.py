"""Guard *silent-fall-back*: nothing stands in for a MongoDB variable that is missing.

Pure. A reader's connection once fell back silently to a credential with other privileges, and users saw errors
instead of a failed start. A missing variable must stop the program, never change who it logs in as.
"""

from __future__ import annotations

from atlas_access.code import Project
from atlas_access.guards.finding import Guard, Report, noted, report, wrong
from atlas_access.guards.variables import unread

_REMEDY = "Stop with an error that names the variable when it is not set."


def check(project: Project) -> Report:
    """Find every place where another variable, a literal or an in-memory server is used instead of a variable."""
    findings, notes = [], list(unread(project))
    for file in project.speaking:
        for each in project.events(file.path, "falls", "hidden"):
            if each.kind == "falls":
                what = f"{each.name} silently falls back to {each.other}"
                findings.append(wrong(file.path, each.line, what, _REMEDY))
            else:
                what = f"{each.name} may fall back to what is not in sight: not judged"
                notes.append(noted(file.path, each.line, what, blocks=True))
    return report(Guard.SILENT_FALL_BACK, len(project.speaking), findings, notes)
