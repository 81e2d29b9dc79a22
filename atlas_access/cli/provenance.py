"""When, by whom and of which declaration something was asked: what JSON reports and the evidence carry."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from atlas_access.cli import inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atlas_access.base import Endpoints, Report, Settings

LAW = Path("policy/policy-config.json")


def with_context(report: Report, stack: str, manifest: Path, endpoints: Endpoints) -> Report:
    """The report with its context for JSON, where the slice's records are."""
    facts, not_asked = provenance(stack, manifest, inputs.read_settings(stack, endpoints), endpoints)
    return replace(report, data={"context": {**facts, "not_asked": not_asked}, **report.data})


def provenance(
    stack: str, manifest: Path, settings: Settings, endpoints: Endpoints
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The facts by name, digests in SHA-256, and what could not be asked. A file that is not there has no digest."""
    from atlas_access.base import clock_for, stack_files
    from atlas_access.clients import AwsUnavailable, caller_arn
    from atlas_access.review import BaseUnread, commit_of

    not_asked: list[str] = []
    by = commit = "unknown"
    try:
        by = caller_arn(region=settings.aws_region, endpoints=endpoints)
    except AwsUnavailable as error:
        not_asked.append(f"the caller's identity ({error})")
    try:
        commit = commit_of(manifest.parent)
    except BaseUnread as error:
        not_asked.append(f"the commit ({error})")
    clock = clock_for(os.environ, endpoints)
    facts = {
        "stack": stack,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "clock": f"advanced by {clock.advanced:.0f} s (sandbox only)" if clock.advanced else "the system's",
        "by": by,
        "commit": commit,
        "program": f"atlas-access {version('atlas-access')}",
        "manifest_digest": _digest(manifest),
        "law_digest": _digest(manifest.parent / LAW),
        "settings_digest": _digest(*stack_files(manifest.parent).values()),
    }
    return facts, tuple(not_asked)


def _digest(*paths: Path) -> str:
    """The SHA-256 of files, one after the other."""
    if not all(path.is_file() for path in paths):
        return ""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
