"""Which language a file is written in, as far as the guards tell languages apart: by its name, or its first line.

No file is opened.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath


class Language(StrEnum):
    """The languages that a guard reads; `OTHER` is prose and data, searched for connection strings only.

    `UNREAD` is code of a language that no guard understands: what speaks of a variable there is not judged.
    """

    PYTHON = "Python"
    SCRIPT = "TypeScript or JavaScript"
    SHELL = "shell"
    YAML = "YAML"
    HCL = "HCL"
    DOCKER = "Dockerfile"
    ENV = "env file"
    JSON = "JSON"
    TOML = "TOML"
    UNREAD = "a language that is not read"
    OTHER = "other"


CODE = frozenset({Language.PYTHON, Language.SCRIPT, Language.SHELL})
"""Languages in which a variable is read, not only handed on."""

_SUFFIXES = {
    ".py": Language.PYTHON, ".pyi": Language.PYTHON,
    ".ts": Language.SCRIPT, ".tsx": Language.SCRIPT, ".mts": Language.SCRIPT, ".cts": Language.SCRIPT,
    ".js": Language.SCRIPT, ".jsx": Language.SCRIPT, ".mjs": Language.SCRIPT, ".cjs": Language.SCRIPT,
    ".sh": Language.SHELL, ".bash": Language.SHELL, ".zsh": Language.SHELL, ".mk": Language.SHELL,
    ".yml": Language.YAML, ".yaml": Language.YAML,
    ".tf": Language.HCL, ".tfvars": Language.HCL, ".hcl": Language.HCL,
    ".dockerfile": Language.DOCKER, ".env": Language.ENV, ".json": Language.JSON, ".toml": Language.TOML,
    **dict.fromkeys(
        (
            ".vue", ".svelte", ".astro", ".go", ".rs", ".rb", ".java", ".kt", ".php", ".cs", ".swift", ".scala", ".ex",
            ".exs", ".lua", ".pl", ".ipynb", ".ps1", ".fish", ".nix", ".c", ".cc", ".cpp", ".ini", ".cfg",
            ".properties",
        ),
        Language.UNREAD,
    ),
}  # fmt: skip

_FIRST_LINE = re.compile(
    r"#!.*\b(?:(?P<python>python[0-9.]*)|(?P<shell>ba|z|da|k)?sh|(?P<script>node|tsx|deno|bun))\b"
)


def language_of(path: str, text: str = "") -> Language:
    """The language of a file by its name; by its `#!` line where the name says nothing."""
    name = PurePosixPath(path).name.lower()
    if name in (".env", ".envrc") or name.startswith(".env."):
        return Language.ENV
    if name in ("makefile", "justfile", "procfile"):
        return Language.SHELL
    if name.startswith(("dockerfile", "containerfile")):
        return Language.DOCKER
    suffix = PurePosixPath(name).suffix
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    match = None if suffix else _FIRST_LINE.match(text)
    if match is None:
        return Language.OTHER
    if match["python"]:
        return Language.PYTHON
    return Language.SCRIPT if match["script"] else Language.SHELL
