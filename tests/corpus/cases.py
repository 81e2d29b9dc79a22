"""The corpus of the guards: cases as data, each judged by its guard."""

from __future__ import annotations

import base64
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML

from atlas_access.base import Status
from atlas_access.code.idioms import read_idioms
from atlas_access.code.language import SourceFile, language_of
from atlas_access.code.names import names_of
from atlas_access.code.project import Project
from atlas_access.guards import env_var_coverage, no_uri_in_git, reference_collections, silent_fall_back
from atlas_access.guards.finding import Report
from atlas_access.guards.no_uri_in_git import HistoryLine
from atlas_access.guards.source import read_tree
from atlas_access.guards.terraform_ownership import declared_secrets, judge_directory
from tests.unit.manifests import manifest

HERE = Path(__file__).parent
GUARDS = {
    "silent-fall-back": (150, 80), "env-var-coverage": (150, 80), "reference-collections": (60, 40),
    "no-uri-in-git": (60, 40), "terraform-ownership": (60, 40),
}  # fmt: skip
"""How many planted and innocent cases each guard has at least."""

SET_ASIDE = 4
"""Every fourth case was set aside while the guards were written."""

NAMES = {
    "OLD": "MONGODB_URI_PLANS_WRITE",
    "NEW": "MONGODB_ANALYTICS_URI",
    "REF": "MONGODB_REFERENCE_URI",
    "MAIN": "MONGODB_URI",
    "WRITE": "MONGODB_WRITE_URI",
}


@dataclass(frozen=True)
class Case:
    """One case: which guard, whether something is planted, whether it flows out of sight, and its files."""

    guard: str
    number: int
    planted: bool
    unjudged: bool
    kind: str
    files: tuple[tuple[str, str], ...]

    @property
    def set_aside(self) -> bool:
        return self.number % SET_ASIDE == SET_ASIDE - 1


@lru_cache
def cases(guard: str) -> tuple[Case, ...]:
    data = YAML(typ="safe").load((HERE / f"{guard}.yaml").read_text(encoding="utf-8"))
    return tuple(Case(guard, number, *each) for number, each in enumerate(_cases(data)))


def _cases(data: dict[str, Any]) -> Iterator[tuple[bool, bool, str, tuple[tuple[str, str], ...]]]:
    for verdict in ("planted", "innocent"):
        for kind, listed in data[verdict].items():
            for each in listed:
                given = each if isinstance(each, dict) else {"text": each}
                unjudged = bool(given.get("unjudged"))
                if "text" not in given and {"hex", "base64", "percent", "twice", "utf16", "zip"} & set(given):
                    files = {kind: _wrapped(given)}
                elif kind in ("files", "read"):
                    files = {(path if "." in path else f"a.{path}"): text for path, text in given.items()}
                else:
                    files = {
                        kind
                        if kind.istitle() or "." in kind or kind in ("commit", "tag")
                        else f"a.{kind}": given["text"]
                    }
                yield verdict == "planted", unjudged, kind, tuple(files.items())


PASSWORD = "hR7" + "kq2Zt9XwLm"
KEY = "0b3f9a1c-77de-4c0a-" + "9f51-2f6f0a8c1d23"
CREDENTIALS = {
    "WORD": PASSWORD,
    "URI": f"mongodb+srv://app:{PASSWORD}@c.ab1cd.mongodb.net/app",
    "KEY": KEY,
    "PAIR": "abcdwxyz",
}


def filled(text: str) -> str:
    """A text with made-up credentials in it."""
    text = text.replace("BASE64URI", base64.b64encode(CREDENTIALS["URI"].encode()).decode())
    return re.sub(
        r"(?<![A-Za-z0-9_])(WORD|URI|KEY|PAIR)(?![A-Za-z0-9_])", lambda match: CREDENTIALS[match[1]], text
    )


def _wrapped(given: dict[str, str]) -> bytes:
    kind = next(key for key in ("hex", "base64", "percent", "twice", "utf16", "zip") if key in given)
    data = filled(given[kind]).encode()
    match kind:
        case "hex":
            return data.hex().encode()
        case "base64":
            return base64.b64encode(data)
        case "percent":
            return quote(data, safe="").encode()
        case "twice":
            return base64.b64encode(base64.b64encode(data))
        case "utf16":
            return filled(given[kind]).encode("utf-16")
        case _:
            packed = BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(given["member"], data)
            return packed.getvalue()


def in_git(case: Case) -> Status:
    """Whether a file, a commit's or a tag's message holds a credential."""
    (name, text), *_ = case.files
    data = text if isinstance(text, bytes) else filled(text).encode()
    if name in ("commit", "tag"):
        return no_uri_in_git.check([], [HistoryLine("a" * 40, name, data.decode())]).status
    with TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(data)
        tree = read_tree(Path(folder))
    return no_uri_in_git.check(tree.files, (), [*tree.notes, *tree.packed]).status


def named(text: str) -> str:
    return re.sub(
        r"(?<![A-Za-z0-9_])(OLD|NEW|REF|MAIN|WRITE)(?![A-Za-z0-9_])", lambda match: NAMES[match[1]], text
    )


SERVICE = "askflorence-staging-app"
SECRETS = {"LEGACY": "staging/mongodb/plans-write", "ADOPTED": "staging/mongodb/admin-schema",
           "OWNED": "staging/mongodb/app-write-v2"}  # fmt: skip
OURS = f"arn:aws:ecs:us-east-1:111111111111:task-definition/{SERVICE}:8"
RELEASED = f"""resource "aws_ecs_service" "app" {{
  name            = "{SERVICE}"
  task_definition = aws_ecs_task_definition.app.arn
  lifecycle {{
    ignore_changes = [task_definition]
  }}
}}"""


def terraform(case: Case) -> Status:
    """Whether Terraform owns the service's task definition or declares a secret of the manifest."""
    kinds = {name: kind.lower() for kind, name in SECRETS.items()}
    with TemporaryDirectory() as folder:
        for name, text in case.files:
            for word, put in {**SECRETS, "SERVICE": SERVICE, "OURS": OURS, "RELEASED": RELEASED}.items():
                text = text.replace(word, put)
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = [judge_directory(Path(folder), SERVICE, (OURS,)), *declared_secrets(Path(folder), kinds)]
    return max((each.status for each in found), key=[Status.GOOD, Status.UNKNOWN, Status.BAD].index)


def status_of(case: Case) -> Status:
    """What the case's guard says."""
    others = {"terraform-ownership": terraform, "no-uri-in-git": in_git}
    return others[case.guard](case) if case.guard in others else judged(case).status


def judged(case: Case) -> Report:
    """The report of the case's guard; what is declared and read by nothing is no part of it but in `read` cases."""
    declared = manifest()
    files = [SourceFile(path, named(text), language_of(path, text)) for path, text in case.files]
    project = Project(files, names_of(declared), read_idioms())
    if case.guard == "silent-fall-back":
        return silent_fall_back.check(project)
    if case.guard == "reference-collections":
        return reference_collections.check(declared, project)
    found = env_var_coverage.check(declared, project)
    kept = [each for each in found.findings if _matters(each.place.path, each.message, case)]
    return Report(found.guard, found.inspected, tuple(kept), found.notes)


def _matters(path: str, message: str, case: Case) -> bool:
    return path != "access.yaml" or (case.kind == "read" and message.startswith("MONGODB_URI is"))


@dataclass
class Score:
    """Of how many planted cases what became, and how many innocent ones raised an alarm."""

    found: int = 0
    not_judged: int = 0
    missed: int = 0
    innocent: int = 0
    alarms: int = 0
    doubted: int = 0

    def __str__(self) -> str:
        planted = self.found + self.not_judged + self.missed
        found = f"{self.found} of {planted} planted cases found ({self.found / planted:.1%})"
        alarms = (
            f"{self.alarms} false alarms in {self.innocent} innocent ones ({self.alarms / self.innocent:.1%})"
        )
        return f"{found}, {self.not_judged} not judged, {self.missed} missed; {alarms}, {self.doubted} not judged"

    def add(self, case: Case, status: Status) -> bool:
        if not case.planted:
            self.innocent += 1
            self.alarms += status is Status.BAD
            self.doubted += status is Status.UNKNOWN
            return status is Status.GOOD
        self.found += status is Status.BAD
        self.not_judged += status is Status.UNKNOWN
        self.missed += status is Status.GOOD
        return status is (Status.UNKNOWN if case.unjudged else Status.BAD)
