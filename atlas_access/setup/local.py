"""What this machine has: Python, the pulumi CLI with its backend and secrets provider, a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_access.base import Finding, ManifestInvalid, Status, one_line, read_yaml, redact
from atlas_access.smoke import find_chromium

PYTHON = (3, 11)
PULUMI = (3, 200)
_SECONDS = 30
_CLOUD = "pulumi.com"
_PASSPHRASE = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_NO_CLI = "no pulumi CLI on PATH"
_OWN_ENGINE = f"{_NO_CLI}: the sandbox's own engine deploys"


@dataclass(frozen=True)
class Cli:
    """Where the pulumi CLI is, "" where there is none that can be used, and what is to say of it."""

    path: str
    finding: Finding


def python_version(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Whether this Python is recent enough."""
    text = f"Python {'.'.join(map(str, version))}"
    if version >= PYTHON:
        return Finding(Status.GOOD, "Python", text)
    return Finding(Status.BAD, "Python", text, "Install Python 3.11 or later: make PYTHON=python3.11")


def pulumi_cli(environment: Mapping[str, str], *, sandbox: bool) -> Cli:
    """The CLI on PATH and its version."""
    wanted = ".".join(map(str, PULUMI))
    remedy = f"Install the pulumi CLI, {wanted} or later."
    path = shutil.which("pulumi", path=environment.get("PATH"))
    if path is None:
        finding = Finding(Status.GOOD, "pulumi", _OWN_ENGINE) if sandbox else None
        return Cli("", finding or Finding(Status.BAD, "pulumi", _NO_CLI, remedy))
    code, text = _run([path, "version"], environment, None)
    match = re.match(r"v?(\d+)\.(\d+)\.", text)
    if code or match is None:
        return Cli("", Finding(Status.UNKNOWN, "pulumi", f"its version is unknown: {text}", remedy))
    known = (int(match[1]), int(match[2])) >= PULUMI
    return Cli(path, Finding(Status.GOOD if known else Status.BAD, "pulumi", text, "" if known else remedy))


def backend(cli: str, environment: Mapping[str, str], folder: Path, *, sandbox: bool) -> Finding:
    """Where the state is kept, and whether the CLI is signed in there."""
    if not cli:
        status = Status.GOOD if sandbox else Status.UNKNOWN
        return Finding(status, "backend", _OWN_ENGINE if sandbox else "not asked: no pulumi CLI")
    code, text = _run([cli, "whoami", "--verbose", "--json", "--non-interactive"], environment, folder)
    try:
        url = str(json.loads(text)["url"]) if not code else ""
    except (ValueError, KeyError, TypeError):
        url = ""
    if not url:
        return Finding(
            Status.UNKNOWN, "backend", text or "no answer", "pulumi login, with your backend's URL."
        )
    return Finding(Status.GOOD, "backend", one_line(redact(url), 200))


def secrets_provider(stack: str, folder: Path, environment: Mapping[str, str], state: Finding) -> Finding:
    """What encrypts the secrets of the stack's state: the stack's file names it, else the backend chooses."""
    name, file = "secrets provider", f"Pulumi.{stack}.yaml"
    try:
        read = read_yaml((folder / file).read_text(encoding="utf-8"), file).data
    except (OSError, UnicodeDecodeError, ManifestInvalid):
        return Finding(Status.UNKNOWN, name, f"{file} cannot be read")
    about = read if isinstance(read, dict) else {}
    named = str(about.get("secretsprovider") or "")
    if named not in ("", "passphrase", "default"):
        return Finding(Status.GOOD, name, one_line(redact(named.partition("?")[0]), 200))
    if state.status is not Status.GOOD:
        return Finding(Status.UNKNOWN, name, "the backend chooses it, and is unknown")
    if _CLOUD in state.message and named != "passphrase" and not about.get("encryptionsalt"):
        return Finding(Status.GOOD, name, "the backend's own")
    given = [each for each in _PASSPHRASE if each in environment]
    if given:
        return Finding(Status.GOOD, name, f"a passphrase, in {given[0]}")
    remedy = f"Set {_PASSPHRASE[0]}, or name a key: pulumi stack change-secrets-provider."
    return Finding(Status.BAD, name, "a passphrase, which is not set", remedy)


def browser(environment: Mapping[str, str], *, sandbox: bool) -> Finding:
    """The browser that gate 6 drives."""
    path = find_chromium(environment)
    if path:
        return Finding(Status.GOOD, "browser", path)
    missing = "none: gate 6 cannot be run"
    if sandbox:
        return Finding(Status.GOOD, "browser", f"{missing}; a sandbox passes without it")
    remedy = "Install Chromium (apt-get install chromium), or name one in CHROMIUM."
    return Finding(Status.BAD, "browser", missing, remedy)


def _run(command: list[str], environment: Mapping[str, str], folder: Path | None) -> tuple[int, str]:
    """The exit code and what was printed, in one line without a secret; -1 where it could not be run."""
    try:
        done = subprocess.run(  # noqa: S603 - a program on PATH, with constant arguments
            command,
            cwd=folder,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return -1, type(error).__name__
    text = done.stdout if not done.returncode else done.stderr
    return done.returncode, " ".join(redact(text).split())[:400]
