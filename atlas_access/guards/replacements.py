"""Phase F as a patch: every deprecated variable of a tree replaced by its successor.

Pure. `git apply --reverse` takes the same patch back: git finds a line that moved, and reports one that changed since.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from atlas_access.code import Names, SourceFile, names_of
from atlas_access.guards.variables import uses_in
from atlas_access.manifest import Manifest

_CONTEXT = 1
"""Lines around each change: a line that changed since keeps few others from being taken back."""


def patch(manifest: Manifest, files: Iterable[SourceFile]) -> str:
    """The diff for `git apply`, "" where nothing is to be replaced; the guard reports files that cannot be parsed."""
    names = names_of(manifest)
    return "".join(part for file in files if file.speaks and not file.binary for part in _diff(file, names))


def _diff(file: SourceFile, names: Names) -> Iterator[str]:
    lines = re.findall(r"[^\n]*\n|[^\n]+", file.text)  # as git counts them: by line feeds alone
    deprecated = "|".join(map(re.escape, sorted(names.deprecated, key=len, reverse=True)))
    used = {use.line for use in uses_in(file, names) if use.whole and use.name in names.deprecated}
    after = [
        re.sub(rf"(?<!\w)(?:{deprecated})(?!\w)", lambda match: names.deprecated[match[0]], line)
        if number in used
        else line
        for number, line in enumerate(lines, start=1)
    ]
    for line in difflib.unified_diff(lines, after, f"a/{file.path}", f"b/{file.path}", n=_CONTEXT):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
