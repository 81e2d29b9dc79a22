"""Captures what must not change: output of every verb and format, registrations, the pack's verdicts, HTTP exchanges.

`python -m tests.golden.capture DIRECTORY here world` writes one text file per verb, stack, or moment of a sandbox.
What differs from run to run is replaced by the name of its mask.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import typer.main
from google.protobuf.json_format import MessageToDict

ROOT = Path(__file__).parents[2]
COMMANDS = Path(__file__).with_name("commands.txt")
for folder in ("policy", "program", "sandbox"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

from recording_proxy import RecordingProxy  # noqa: E402

MASKS = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"(mongodb(?:\+srv)?://\w+:)[^@\s\"]+@", r"\1<password>@"),
    (r"\d{4}\\?-\d\d\\?-\d\d[T ]\d\d\\?:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"(?<![\w.])(\d{13}|\d{10}\.\d{1,3})(?![\w.])", "<epoch>"),
    (r'(lease-run\\*", \\*"value\\*": \\*")[0-9a-f]{12}', r"\1<run>"),
    (r"soaked \d+ of 30 minutes; update again in \d+ minutes", "soaked <duration> of 30 minutes"),
    (r" *\b\d+(\.\d+)? m?s\b", " <duration>"),
    (r'("(?:ms|seconds|duration|time)": |time=")\d+(\.\d+)?(e-\d+)?', r"\1<duration>"),
    (r"(127\.0\.0\.\d(?::|%3A)|\b(?:aws|mongodbatlas|random):)\d+", r"\1<port>"),
    (r"\bpid \d+", "pid <pid>"),
    (r"(:secret:[\w/.+-]+?)-[A-Za-z0-9]{6}(?![\w-])", r"\1-<suffix>"),
    (r"(?<![\w-])[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])", "<uuid>"),
    (r"(?<![\w-])[0-9a-f]{32}(?![\w-])", "<id>"),
    (r"(?<![\w-])[0-9a-f]{64}(?![\w-])", "<digest>"),
    (r"(?<![\w-])[0-9a-f]{40}( with uncommitted changes)?(?![\w-])", "<commit>"),
    (r"\b(task|version) [0-9a-f]{8}\b", r"\1 <\1>"),
    (r"(?m)^(\| (?:proven|refuted|inconclusive) \|.*\|) \d+ \|$", r"\1 <duration> |"),
    (r"ASIA[A-Z0-9]{16}|(?<=PUBLIC_KEY=)\w+|(?<=PUBLIC_API_KEY=)\w+", "<key>"),
    (r"(?m)^ *(.* running \d+/\d+.* left\)|ECS: .*)\n", ""),
)
AT_ONCE = r"(?m)(?:^  (?:[=+~-] \w.*|\w+ \(\S+\): \w+, .*|\S+ not evaluated on .*)\n)+"
"""Consecutive lines about what runs at once: they end in any order."""

QUIET = {"COLUMNS": "110", "NO_COLOR": "1", "TERM": "dumb", "LANG": "C.UTF-8", "TZ": "UTC"}


def masked(text: str, *known: tuple[str, str], masks: Sequence[tuple[str, str]] = MASKS) -> str:
    """Replace what differs between two runs; `known` pairs are replaced literally first."""
    for value, name in known:
        text = text.replace(value, name)
    for pattern, name in masks:
        text = re.sub(pattern, name, text)
    return text


def command_lines(place: str) -> Iterator[tuple[str, list[str]]]:
    """Each output file of a place with its command lines, braces expanded."""
    for section in re.split(r"^\[", COMMANDS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = section.partition("]\n")
        if name.startswith(f"{place}/"):
            yield name, [each for line in rest.splitlines() for each in expanded(line) if line]


def expanded(line: str) -> list[str]:
    """The lines that a line with one {a,b} stands for."""
    before, brace, rest = line.partition("{")
    inside, _, after = rest.partition("}")
    return [f"{before}{each}{after}" for each in inside.split(",")] if brace else [line]


def block(line: str, code: int, out: str, err: str) -> str:
    """One command and everything that it printed."""
    said = "".join(
        f"--- {name}\n{text.rstrip()}\n" for name, text in (("stdout", out), ("stderr", err)) if text
    )
    return f"$ atlas-access {line}\n{said}--- exit {code}\n\n"


def here(directory: Path) -> None:
    """What needs no world: verbs that read files, the manifest's errors, registrations, verdicts."""
    from test_policy_command import CLEAN, violated

    from atlas_access.cli.main import run

    typer.main.get_command = cache(
        typer.main.get_command
    )  # else each command line builds the tree of verbs again
    os.chdir(ROOT)
    for name in [
        each for each in os.environ if re.match(r"AWS_|ATLAS_|MONGODB_|GITHUB_|GH_|FORCE_COLOR", each)
    ]:
        del os.environ[name]
    os.environ |= QUIET
    with tempfile.TemporaryDirectory() as scratch:
        tmp = Path(scratch).resolve()
        (tmp / "access.yaml").write_text((ROOT / "access.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        (tmp / "clean.json").write_text(CLEAN, encoding="utf-8")
        (tmp / "violated.json").write_text(violated(), encoding="utf-8")
        (tmp / "wrong.env").write_text(WRONG_ENV, encoding="utf-8")
        (tmp / "wrong.env").chmod(0o644)

        def said(line: str) -> str:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(shlex.split(line.replace("$tmp", str(tmp))))
            known = ((str(tmp), "$tmp"), (str(ROOT), "$root"))
            return masked(block(line, code, out.getvalue(), err.getvalue()), *known, masks=MASKS[:2])

        for name, lines in command_lines("here"):
            keep(directory, f"{name}.txt", "".join(map(said, lines)))
    keep(directory, "here/manifest-errors.json", manifest_errors())
    for name, found in registrations().items():
        keep(directory, f"here/{name}.json", found)
    keep(directory, "here/offenders.json", verdicts())


WRONG_ENV = (
    "MONGODB_URI=mongodb://app_write:none@db.example.com/askflorence\nMONGODB_URI_PLANS_WRITE=mongodb://x\n"
)


def manifest_errors() -> dict[str, list[str]]:
    """Every error of each wrong manifest of the corpus."""
    from atlas_access.manifest.load import ManifestInvalid, load_manifest
    from tests.unit.manifest_cases import CASES

    text, found = (ROOT / "access.yaml").read_text(encoding="utf-8"), {}
    for name, ((old, new), _) in CASES.items():
        try:
            load_manifest(text.replace(old, new, 1))
        except ManifestInvalid as error:
            found[name] = str(error).splitlines()
    return found


def registrations() -> dict[str, list[Any]]:
    """What the program registers by stack, options included; `in` names the phases that register exactly this."""
    from policy_our_stacks import ACCOUNTS, captured

    found: dict[str, list[Any]] = {}
    for stack in ACCOUNTS:
        confirmed = {"retireConfirmation": f"retire {stack}"}
        phases = {"provision": {}, "bind": {}, "retire tombstone": confirmed, "retire delete": confirmed}
        observed: dict[str, list[str]] = {}
        for name, changes in phases.items():
            phase, _, step = name.partition(" ")
            given = {**changes, "retirement": step} if step else {}
            for request in captured(stack, phase, **given).registered:
                text = masked(json.dumps(plain(MessageToDict(request))), masks=MASKS[:2])
                observed.setdefault(text, []).append(name)
        every = [{"in": names, **json.loads(text)} for text, names in observed.items()]
        found[f"program-{stack}"] = sorted(every, key=lambda each: (each["type"], each["name"], each["in"]))
    return found


def plain(value: Any, key: str = "") -> Any:
    """A registration or a request body without pickled providers, digests of code, and source positions."""
    if key in ("password", "SecretString"):
        return "<secret>"
    if key == "__provider":
        return "<pickled provider>"
    if key == "code_digest":
        return "<digest>"
    if isinstance(value, str):
        return re.sub(r"(//\w+:)[^@/]+@", r"\1<password>@", value)
    if isinstance(value, dict):
        gone = ("sourcePosition", "stackTrace")
        return {name: plain(value[name], name) for name in sorted(value) if name not in gone}
    if isinstance(value, list):
        each = [plain(one) for one in value]
        return sorted(each) if key in ("dependencies", "urns", "ignoreChanges", "aliases") else each
    return value


def verdicts() -> dict[str, Any]:
    """What the pack says about each offending program: rule, whether it stops, message, resource."""
    from policy_pack_process import PackProcess
    from test_offenders import PROGRAMS, said_of, settings_of

    found: dict[str, Any] = {}
    with contextlib.ExitStack() as ends:
        started: dict[str, PackProcess] = {}

        def pack(phase: str) -> PackProcess:
            if phase not in started:
                started[phase] = ends.enter_context(PackProcess.start(ROOT / "policy", phase=phase))
            return started[phase]

        for program in PROGRAMS:
            said = sorted(said_of(pack, program))
            keys = ("rule", "mandatory", "message", "urn")
            found[program.stem] = {
                "settings": settings_of(program),
                "said": [dict(zip(keys, each, strict=True)) for each in said],
            }
    return found


def keep(directory: Path, name: str, what: Any) -> None:
    """Write one golden file."""
    path = directory / name.replace(" ", "-")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = what if isinstance(what, str) else json.dumps(what, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def world(directory: Path) -> None:
    """What needs a sandbox: every verb that asks servers, at three moments of staging, and what went over HTTP."""
    from sandbox import providers
    from sandbox.world import World

    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(each for each in folders if not (Path(each) / "pulumi").exists())
    kept = {name: os.environ[name] for name in ("MONGOD", "CHROMIUM") if name in os.environ}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as ends:
        tmp = Path(scratch).resolve()
        box = tmp / "box"
        variables = {**kept, "PATH": path, "HOME": str(tmp), **QUIET, "ATLAS_ACCESS_SANDBOX_DIR": str(box)}
        secrets: list[tuple[str, str]] = []

        def said(line: str) -> str:
            line, _, name = line.partition(" > ")
            command = [
                sys.executable,
                "-m",
                "atlas_access.cli.main",
                *shlex.split(line.replace("$tmp", str(tmp))),
            ]
            done = subprocess.run(
                command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
            )
            if name:
                (tmp / name).write_text(done.stdout, encoding="utf-8")
            if line.startswith(("sandbox deploy", "policy")) and done.stdout.startswith("{"):
                done.stdout = json.dumps(sorted_lists(json.loads(done.stdout)), indent=1, ensure_ascii=False)
            known = ((str(box), "$box"), (str(tmp), "$tmp"), (str(ROOT), "$root"), *secrets)
            text = masked(block(line, done.returncode, done.stdout, done.stderr), *known)
            return re.sub(AT_ONCE, lambda run: "".join(sorted(run[0].splitlines(keepends=True))), text)

        subprocess.run(["git", "init", "--quiet", tmp / "repository"], check=True)
        (tmp / "repository" / ".gitignore").write_text(".env.local*\n", encoding="utf-8")
        begun = said("sandbox up --world easy")
        ends.callback(said, "sandbox down")
        here = World.load(box)
        proxies = [ends.enter_context(Exchanges(url)) for url in (here.atlas_url, here.aws_url)]
        here = replace(here, atlas_url=proxies[0].url, aws_url=proxies[1].url)
        served = providers.serve(here.environment("staging"))
        ends.callback(served.stop)
        staging = replace(here.of("staging"), provider_ports=dict(served.ports))
        here = replace(here, environments={**here.environments, "staging": staging})
        here.save()
        variables |= here.environment("staging")
        variables["PATH"] = path
        secrets += [(each, "<secret>") for each in sorted(here.secrets(), key=len, reverse=True)]
        for name, lines in command_lines("world"):
            texts, exchanges = [begun] if name.endswith("legacy") else [], {}
            for line in lines:
                for proxy in proxies:
                    proxy.observed.clear()
                texts.append(said(line))
                observed = sorted(set().union(*(proxy.observed for proxy in proxies)))
                exchanges.setdefault(re.sub(r" (--format \w+|> .*)", "", line), observed)
            keep(directory, f"{name}.txt", "".join(texts))
            keep(
                directory,
                f"{name}-http.json",
                {line: observed for line, observed in exchanges.items() if observed},
            )


def sorted_lists(value: Any) -> Any:
    """A document whose lists of records are sorted: what a deployment does at once ends in any order."""
    if isinstance(value, dict):
        return {name: sorted_lists(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return sorted((sorted_lists(one) for one in value), key=lambda one: masked(json.dumps(one)))
    return value


class Exchanges(RecordingProxy):
    """Keeps what was asked and with which status it was answered, each once: how often depends on timing."""

    def __init__(self, upstream: str) -> None:
        self.observed: set[str] = set()
        self._asked = threading.local()
        super().__init__(upstream, self._keep, [])

    def _keep(self, method: str, path: str, headers: Any, body: bytes) -> None:
        scheme = (headers.get("Authorization") or "none").split()[0]
        named = ("Accept", "Content-Type", "X-Amz-Target")
        kept = [f"{name}: {headers[name]}" for name in named if headers.get(name)]
        text = body.decode()
        given = json.loads(text) if text.startswith(("{", "[")) else dict(parse_qsl(text))
        shown = json.dumps(plain(given), sort_keys=True)
        self._asked.line = masked(" | ".join([f"{method} {path}", f"Authorization: {scheme}", *kept, shown]))

    def _send(self, request: Any, status: int, headers: dict[str, str], payload: bytes) -> None:
        if (
            '"tags": [{"key": "atlas-access/lease-heartbeat"' not in self._asked.line
        ):  # sent every few seconds
            self.observed.add(f"{self._asked.line} -> {status}")
        super()._send(request, status, headers, payload)


SETS: dict[str, Callable[[Path], None]] = {"here": here, "world": world}

if __name__ == "__main__":
    target, *names = sys.argv[1:]
    for each in names:
        SETS[each](Path(target))
