"""`atlas-access status STACK`: where the migration stands, phase by phase, and the next command. Read-only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Phase, Report as Shown, Settings, What
    from atlas_access.guards import Report
    from atlas_access.manifest import Manifest
    from atlas_access.retirement import Fact, Step

ENV_FILE = Path(".env.local")


def status(
    stack: inputs.Stack,
    *,
    output: inputs.Output = Format.TEXT,
    env_file: Annotated[Path, typer.Option("--env-file", help="Phase E: the env file to judge.")] = ENV_FILE,
    source: Annotated[
        Path | None, typer.Option("--source", help="Phase F: the application's source tree.")
    ] = None,
    phase: inputs.PhaseChoice = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    known_users: inputs.KnownUsersPath = inputs.KNOWN_USERS,
) -> int:
    """Show every phase: done, next, blocked or unknown. Exit 0 all done, 1 something is to be done, 3 unknown."""
    from atlas_access.cli.output import show

    return show(status_of(stack, manifest, known_users, env_file, source, phase), output)


def status_of(
    stack: str,
    manifest: Path,
    known_users: Path,
    env_file: Path = ENV_FILE,
    source: Path | None = None,
    phase: Phase | None = None,
) -> Shown:
    """Every phase of a stack, asked now. Raises CommandFailed (exit 2) for wrong input."""
    from atlas_access.base import EndpointRefused, clock_for
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.drift import Wanted
    from atlas_access.retirement import StatusOrder, facts, migration, status_report

    endpoints, declared, settings, people = inputs.read_migration(stack, manifest, known_users, phase)
    now = datetime.fromtimestamp(clock_for(os.environ, endpoints).wall(), UTC)
    with presented_as(WRONG, CredentialsMissing, EndpointRefused):
        wanted = Wanted(stack, declared, settings[stack], people, now)
        asked = StatusOrder(wanted, settings, sign_in_from(os.environ), endpoints, manifest.parent.absolute())
        observed = facts(asked)
    observed |= _here(declared, manifest, env_file, source, settings[stack], now)
    return status_report(
        migration(stack, observed, commands(stack, inputs.local_stack(declared), sandbox=endpoints.sandbox))
    )


def commands(stack: str, local: str, *, sandbox: bool) -> Mapping[Step, str]:
    """The exact command that continues from each phase."""
    from atlas_access.retirement import Step

    deploy = f"make preview STACK={stack} && make deploy STACK={stack}"
    phase = f"set atlas-access:phase to {{}} in Pulumi.{stack}.yaml, then {deploy}"
    provision, bind = phase.format("provision"), phase.format("bind")
    retire = phase.format(
        f'retire, retirement to tombstone (24 h later: delete), retireConfirmation to "retire {stack}"'
    )
    baseline = f"atlas-access baseline capture {stack}"
    if sandbox:
        baseline = f"atlas-access sandbox baseline {stack}"
        provision = f"atlas-access sandbox deploy {stack}"
        bind = f"{provision} --phase bind"
        retire = f'{provision} --phase retire --config "retireConfirmation=retire {stack}"'
        retire += " --config retirement=tombstone  # 24 h later: delete"
    return {
        Step.BASELINE: baseline,
        Step.USERS: provision,
        Step.SECRETS: provision,
        Step.PROOFS: f"atlas-access prove {stack}",
        Step.SWAP: bind,
        Step.GATES: f"atlas-access smoke {stack}",
        Step.SOAK: "atlas-access sandbox clock --advance 31m" if sandbox else f"atlas-access status {stack}",
        Step.LOCAL: f"atlas-access env {local} --write {ENV_FILE}",
        Step.CODE: "atlas-access guard env-var-coverage --source APPLICATION",
        Step.RETIREMENT: f"{retire}  # docs/runbooks/retire.md",
        Step.DOCUMENTS: "atlas-access docs",
    }


def _here(
    declared: Manifest, manifest: Path, env_file: Path, source: Path | None, own: Settings, now: datetime
) -> dict[Step, Fact]:
    """The phases that lie on this machine: the env file, the application's code, the generated documents."""
    from atlas_access.base import What
    from atlas_access.cli.docs import in_sync
    from atlas_access.cli.env import judged
    from atlas_access.cli.guard import GuardName, of_tree
    from atlas_access.retirement import Fact, Step

    absent = f"{env_file} is not here; name a developer's env file with --env-file"
    local_at, code_at = (own.acknowledged_at(each) for each in (What.LOCAL_VERIFIED, What.CODE_VERIFIED))
    local = _recorded(local_at, now, absent)
    if not inputs.local_stack(declared):
        local = Fact(holds=True, evidence="left out: access.yaml binds nothing for a developer's machine")
    elif env_file.exists() or env_file.is_symlink():
        try:
            clean = f"{env_file} binds each variable to its user"
            clean += _to_record(local_at, What.LOCAL_VERIFIED)
            local = _fact(judged(env_file, declared), clean)
        except CommandFailed as refused:
            local = Fact(holds=False, evidence=str(refused))
    code = _recorded(code_at, now, "the application's tree was not inspected; name it with --source")
    if source is not None:
        report = next(iter(of_tree((GuardName.ENV_VAR_COVERAGE,), declared, manifest, source, ())))
        clean = f"{report.inspected} files of {source} name no deprecated variable"
        code = _fact(report, clean + _to_record(code_at, What.CODE_VERIFIED))
    documents = _fact(in_sync(declared, manifest.parent), "every generated document is in step")
    return {Step.LOCAL: local, Step.CODE: code, Step.DOCUMENTS: documents}


def _to_record(at: datetime | None, what: What) -> str:
    """What the retirement's gate asks for besides: it cannot see this machine."""
    return "" if at is not None else f"; for the retirement, state {what} in atlas-access:acknowledged"


def _recorded(at: datetime | None, now: datetime, otherwise: str) -> Fact:
    """What a person has recorded in the stack's file, for what cannot be observed from here."""
    from atlas_access.retirement import Fact

    if at is None:
        return Fact(holds=None, evidence=otherwise)
    if at > now:
        return Fact(
            holds=False, evidence=f"recorded as verified {at:%Y-%m-%d %H:%M %Z}, which lies in the future"
        )
    return Fact(holds=True, evidence=f"recorded as verified {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def _fact(report: Report, clean: str) -> Fact:
    from atlas_access.base import Status
    from atlas_access.drift import listed
    from atlas_access.retirement import Fact

    if report.status is Status.GOOD:
        return Fact(holds=True, evidence=clean)
    against = report.findings or report.unjudged
    evidence = listed((f"{each.place}: {each.message}" for each in against), 3)
    return Fact(holds=False if report.findings else None, evidence=evidence)
