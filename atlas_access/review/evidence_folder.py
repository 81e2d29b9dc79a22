"""The evidence of a stack as files: what was asked, when, by whom, of which declaration; and what was not. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from atlas_access.base import Format, Report, Settings, Status, redact, render
from atlas_access.manifest import Manifest
from atlas_access.review.markdown import escape

SUMS = "SHA256SUMS"
"""The file with the digest of every other one, as `sha256sum --check` reads it."""

_TICKS = {Status.GOOD: "[x]", Status.BAD: "[ ] failed:", Status.UNKNOWN: "[ ] unknown:"}


@dataclass(frozen=True)
class Context:
    """When, by whom and of what the evidence was collected. Digests are SHA-256; `not_asked` is what nobody said.

    `clock` says by how much a sandbox's clock was advanced. `versions` are the servers' by cluster.
    """

    stack: str
    at: str
    clock: str
    by: str
    commit: str
    program: str
    manifest_digest: str
    law_digest: str
    settings_digest: str
    expectations_digests: tuple[str, ...]
    secret_versions: Mapping[str, str]
    server_versions: tuple[str, ...]
    not_asked: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The facts, one a line, as each page begins."""
        facts = {name.replace("_", " "): fact for name, fact in asdict(self).items()}
        return tuple(f"- {name}: {escape(_text(fact)) or 'none'}" for name, fact in facts.items())


def _text(fact: object) -> str:
    if isinstance(fact, Mapping):
        return ", ".join(f"{name} {each}" for name, each in fact.items())
    return ", ".join(map(str, fact)) if isinstance(fact, tuple) else str(fact)


def evidence_files(
    context: Context,
    reports: Mapping[str, Report],
    manifest: Manifest,
    settings: Settings,
    hosts: Sequence[str],
) -> dict[str, str]:
    """Every file by its name, redacted, with the file of digests."""
    head = "\n".join(context.lines)
    files = {"context.json": json.dumps(asdict(context), indent=2)}
    for name, report in reports.items():
        document = {"context": asdict(context), "report": json.loads(render(report, Format.JSON))}
        files[f"{name}.json"] = json.dumps(document, indent=2, ensure_ascii=False)
        files[f"{name}.md"] = f"{render(report, Format.MD)}\n## Collected\n\n{head}\n"
    files["handover.md"] = "\n".join((*_handover(manifest, settings, hosts, context), "", head, ""))
    files["acceptance.md"] = "\n".join((*_acceptance(reports, manifest, context), "", head, ""))
    clean = {name: redact(text) for name, text in sorted(files.items())}
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in clean.items())
    return {**clean, SUMS: sums}


def _handover(
    manifest: Manifest, settings: Settings, hosts: Sequence[str], context: Context
) -> tuple[str, ...]:
    """What a team that takes over needs to find everything; never a password."""
    secrets = dict.fromkeys(each.secret_name for each in manifest.credentials_for(context.stack))
    users = (
        f"{settings.users.shown(each.name)}: {', '.join(map(str, each.roles))}" for each in manifest.users
    )
    rows = {
        "Atlas project": settings.atlas_project_id,
        "Cluster": settings.atlas_cluster,
        "Hosts": ", ".join(hosts) or "unknown",
        "Server version": ", ".join(context.server_versions) or "unknown",
        "Tier": "not asked",
        "AWS account and region": f"{settings.aws_account_id}, {settings.aws_region}",
        "Service": f"{settings.ecs_cluster}/{settings.ecs_service}",
        "Commit": context.commit,
        "Program": context.program,
    }
    return (
        f"# Handover of {context.stack}",
        "",
        *(f"- {name}: {escape(value)}" for name, value in rows.items()),
        "",
        "## Users",
        "",
        *(f"- {escape(each)}" for each in users),
        "",
        "## Secrets, by name",
        "",
        *(f"- {escape(each)}" for each in secrets),
    )


def _acceptance(reports: Mapping[str, Report], manifest: Manifest, context: Context) -> tuple[str, ...]:
    """The acceptance criteria that a machine can tick, each with its evidence."""
    within = Status.GOOD if len(manifest.users) <= manifest.user_cap else Status.BAD
    of = {name: (report.status, f"{report.headline} ({name}.json)") for name, report in reports.items()}
    criteria = {
        "At most five users a cluster": (within, f"{len(manifest.users)} declared, cap {manifest.user_cap}"),
        "Every credential is proven, what it may not do included": of["proof"],
        "Users, roles, secrets and tasks are as declared": of["drift"],
        "Manifest and law say the same": of["law"],
        "Every phase of the migration is done": of["status"],
    }
    return (
        f"# Acceptance of {context.stack}",
        "",
        *(f"- {_TICKS[status]} {name}: {escape(why)}" for name, (status, why) in criteria.items()),
    )
