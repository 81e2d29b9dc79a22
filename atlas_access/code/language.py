"""Which language a file is written in, as far as the guards distinguish languages: by its name, or its first line.

No file is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


class Language(StrEnum):
    """The languages that a guard reads; the value is the grammar's name where there is one.

    `OTHER` is prose and data, searched for credentials only. `UNREAD` is code of a language that no guard understands:
    a file of it that names a variable is not judged.
    """

    PYTHON = "python"
    TYPESCRIPT = "typescript"
    TSX = "tsx"
    JAVASCRIPT = "javascript"
    GO = "go"
    SHELL = "bash"
    YAML = "yaml"
    HCL = "hcl"
    DOCKER = "dockerfile"
    ENV = "env"
    JSON = "json"
    TOML = "toml"
    UNREAD = "unread"
    OTHER = "other"


@dataclass(frozen=True)
class SourceFile:
    """A file of the tree by its path below the root, with `/`; a binary one is decoded as far as it goes.

    One that does not `speak` of MongoDB or of a variable is there for the files that import from it.
    """

    path: str
    text: str
    language: Language
    binary: bool = False
    speaks: bool = True


SCRIPT = frozenset({Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT})
CODE = SCRIPT | {Language.PYTHON, Language.GO, Language.SHELL}
"""Languages in which a variable is read, not only handed on."""

_SUFFIXES = {
    suffix: language
    for language, suffixes in {
        Language.PYTHON: ".py .pyi",
        Language.TYPESCRIPT: ".ts .mts .cts .vue .svelte",
        Language.TSX: ".tsx",
        Language.JAVASCRIPT: ".js .jsx .mjs .cjs",
        Language.GO: ".go",
        Language.SHELL: ".sh .bash .zsh .mk",
        Language.YAML: ".yml .yaml",
        Language.HCL: ".tf .tfvars .hcl",
        Language.DOCKER: ".dockerfile",
        Language.ENV: ".env",
        Language.JSON: ".json",
        Language.TOML: ".toml",
        Language.UNREAD: ".astro .rs .rb .java .kt .php .cs .swift .scala .ex .exs .lua .pl .ipynb"
        " .ps1 .fish .nix .c .cc .cpp .ini .cfg .properties",
    }.items()
    for suffix in suffixes.split()
}
_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".gotmpl")
"""Files that a template engine fills in: code among them is no code yet."""

_FIRST_LINE = re.compile(
    r"#!.*\b(?:(?P<python>python[0-9.]*)|(?P<shell>ba|z|da|k)?sh|(?P<script>node|tsx|deno|bun))\b"
)

_COMPONENT = re.compile(r"(?is)(?<=<script).*?>(.*?)(?=</script)")


def script_of(file: SourceFile) -> str:
    """A file's code, every line where it was: of a Vue or Svelte component what its `script` elements hold."""
    if not file.path.lower().endswith((".vue", ".svelte")):
        return file.text
    blank = list(re.sub(r"[^\n]", " ", file.text))
    for match in _COMPONENT.finditer(file.text):
        blank[match.start(1) : match.end(1)] = match[1]
    return "".join(blank)


def language_of(path: str, text: str = "") -> Language:
    """The language of a file by its name; by its `#!` line where the name says nothing."""
    name = PurePosixPath(path).name.lower()
    if name in (".env", ".envrc") or name.startswith((".env.", ".env-")):
        return Language.ENV
    if name in ("makefile", "justfile", "procfile"):
        return Language.SHELL
    if name.startswith(("dockerfile", "containerfile")):
        return Language.DOCKER
    suffix = PurePosixPath(name).suffix
    if suffix in _TEMPLATES:
        inner = language_of(name.removesuffix(suffix), text)
        return Language.ENV if inner in CODE | {Language.OTHER} else inner
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    match = None if suffix else _FIRST_LINE.match(text)
    if match is None:
        return Language.OTHER
    if match["python"]:
        return Language.PYTHON
    return Language.JAVASCRIPT if match["script"] else Language.SHELL
