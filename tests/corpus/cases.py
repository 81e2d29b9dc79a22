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
from unittest.mock import patch
from urllib.parse import quote

from ruamel.yaml import YAML

from atlas_access.base import ClusterAddresses, Endpoints, LocalText, Status
from atlas_access.clients import AwsUnavailable
from atlas_access.code.idioms import read_idioms
from atlas_access.code.language import SourceFile, language_of
from atlas_access.code.names import names_of
from atlas_access.code.project import Project
from atlas_access.guards import (
    docs_sync,
    env_var_coverage,
    local_values,
    no_uri_in_git,
    reference_collections,
    silent_fall_back,
    validate_secrets,
)
from atlas_access.guards.finding import Report
from atlas_access.guards.local_values import LocalFacts
from atlas_access.guards.no_uri_in_git import HistoryLine
from atlas_access.guards.source import read_tree
from atlas_access.guards.stored_values import wanted_in
from atlas_access.guards.terraform_ownership import declared_secrets, judge_directory
from atlas_access.manifest import LOCAL
from tests.unit.manifests import manifest

HERE = Path(__file__).parent
GUARDS = {
    "silent-fall-back": (150, 80), "env-var-coverage": (150, 80), "reference-collections": (60, 40),
    "no-uri-in-git": (60, 40), "terraform-ownership": (60, 40), "docs-sync": (60, 40), "validate-secrets": (60, 40),
    "local-file": (60, 40),
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
    files: tuple[tuple[str, Any], ...]

    @property
    def set_aside(self) -> bool:
        return self.number % SET_ASIDE == SET_ASIDE - 1


@lru_cache
def cases(guard: str) -> tuple[Case, ...]:
    data = YAML(typ="safe").load((HERE / f"{guard}.yaml").read_text(encoding="utf-8"))
    return tuple(Case(guard, number, *each) for number, each in enumerate(_cases(data)))


def _cases(data: dict[str, Any]) -> Iterator[tuple[bool, bool, str, tuple[tuple[str, Any], ...]]]:
    for verdict in ("planted", "innocent"):
        for kind, listed in data[verdict].items():
            for each in listed:
                given = each if isinstance(each, dict) else {"text": each}
                if kind in ("edit", "same", "value", "file"):  # a case of a guard that reads no source tree
                    yield verdict == "planted", bool(given.get("unjudged")), kind, tuple(given.items())
                    continue
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


@lru_cache
def _document() -> str:
    text: str = YAML(typ="safe").load((HERE / "docs-sync.yaml").read_text(encoding="utf-8"))["document"]
    return text


def in_step(case: Case) -> Status:
    """Whether a document is what would be generated now."""
    given = dict(case.files)
    wanted = given.get("same", _document())
    found = None if "missing" in given else given.get("found", wanted)
    if "find" in given:
        found = wanted.replace(given["find"], given["put"])
    return docs_sync.check({"docs/roles.md": wanted}, {"docs/roles.md": found}).status


OPTIONS = "retryWrites=true&w=majority"
SHARDS = ",".join(f"staging-shard-00-0{number}.ab1cd.mongodb.net:27017" for number in range(3))
ADDRESSES = ClusterAddresses("staging", f"mongodb://{SHARDS}", "mongodb+srv://staging.ab1cd.mongodb.net", ())


def stored(case: Case) -> Report:
    """What is said of one secret's value; every other secret holds the right one."""
    given = dict(case.files)
    text = given.get("text", "")
    for part, put in {
        "SRV": "mongodb+srv://app_read:WORD@staging.ab1cd.mongodb.net/askflorence",
        "STANDARD": f"mongodb://app_read:WORD@{SHARDS}/askflorence", "GOOD": OPTIONS, "WORD": PASSWORD,
    }.items():  # fmt: skip
        text = text.replace(part, put)
    users = {each.secret: each.user for each in wanted_in(manifest(), "staging")}

    def value_of(secret: str, *_: object, **__: object) -> str:
        if secret != "staging/mongodb/app-read-v2":
            return filled(
                f"mongodb+srv://{users[secret]}:WORD@staging.ab1cd.mongodb.net/askflorence?{OPTIONS}"
            )
        if "missing" in given or "unread" in given:
            code = "ResourceNotFoundException" if "missing" in given else "ThrottlingException"
            raise AwsUnavailable("GetSecretValue", code, "not read")
        return text

    place = validate_secrets.Place("staging", "111111111111", "us-east-1", log_in=False)
    clusters = {"staging": validate_secrets.Cluster("staging", ADDRESSES)}
    with (
        patch.object(validate_secrets, "read_connection_string", value_of),
        patch.object(validate_secrets, "wrong_account", return_value=""),
    ):
        return validate_secrets.check(manifest(), place, clusters, Endpoints())


_VALUE = re.compile(
    r"SRV:(?P<user>[\w-]+)(?:@(?P<cluster>[\w.-]+))?(?:/(?P<database>\w+))?(?:\?(?P<options>\S+))?"
)


def _uri(match: re.Match[str]) -> str:
    cluster = match["cluster"] or "askflorence-staging"
    host = cluster if "." in cluster else f"{cluster}.ab1cd.mongodb.net"
    options = OPTIONS.replace("retryWrites=true", match["options"] or "retryWrites=true")
    if match["options"] and not match["options"].startswith("retryWrites"):
        options = f"{OPTIONS}&{match['options']}"
    return f"mongodb+srv://{match['user']}:{PASSWORD}@{host}/{match['database'] or 'askflorence'}?{options}"


def local(case: Case) -> Report:
    """What is said of a developer's env file."""
    given = dict(case.files)
    lines = []
    for each in manifest().bindings_for(LOCAL):
        value = given.get(each.variable, f"SRV:{each.user}")
        if value is not None:
            lines.append(given.get("form", "{name}={value}").format(name=each.variable, value=value))
    text = given.get("before", "") + "\n".join([*lines, given.get("more", "")]) + "\n"
    text = _VALUE.sub(_uri, text).replace("WORD", PASSWORD)
    facts = LocalFacts(
        ".env.local", given.get("mode", 0o600), given.get("ignored", True), "askflorence-staging"
    )
    return local_values.check(manifest(), LocalText.parse(text), facts)


def status_of(case: Case) -> Status:
    """What the case's guard says."""
    others = {"terraform-ownership": terraform, "no-uri-in-git": in_git, "docs-sync": in_step}
    return others[case.guard](case) if case.guard in others else judged(case).status


def judged(case: Case) -> Report:
    """The report of the case's guard; what is declared and read by nothing is no part of it but in `read` cases."""
    if case.guard in ("validate-secrets", "local-file"):
        return stored(case) if case.guard == "validate-secrets" else local(case)
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
