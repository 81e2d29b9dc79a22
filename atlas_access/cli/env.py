"""`atlas-access env`: a developer's env file set to the four variables, checked, or put back. Prod's is never written.

Formats and exit codes; parsing, judging and writing lie below.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Secret
    from atlas_access.guards import Report
    from atlas_access.manifest import Manifest

_USAGE = "Use --write FILE, --check FILE or --restore FILE, one of them."


def env(
    stack: Annotated[
        str, typer.Argument(help="local_environment of access.yaml; no other's credentials go to a machine.")
    ] = "",
    *,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Set the variables in FILE, a backup kept.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Judge FILE; no value is shown.")
    ] = None,
    restore: Annotated[
        Path | None, typer.Option("--restore", metavar="FILE", help="Put FILE's newest backup back.")
    ] = None,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Set, check or restore a developer's env file. Exit 0 done or clean, 1 found, 2 refused, 3 not all judged.

    `--check` needs no network; with STACK it also compares with what Secrets Manager holds now.
    """
    from atlas_access.base import Format
    from atlas_access.cli.output import show
    from atlas_access.guards import guards_report

    if sum(each is not None for each in (write, check, restore)) != 1:
        raise CommandFailed("atlas-access env needs one thing to do.", _USAGE)
    declared = inputs.read_manifest(manifest)
    if stack:
        _refuse_stack(stack, declared)
    if restore is not None:
        return _restore(restore, output)
    if check is not None:
        return show(guards_report([judged(check, declared, stack)]), Format(output.value))
    if not stack:
        raise CommandFailed(
            "--write needs to know whose credentials.",
            f"atlas-access env {inputs.local_stack(declared)} --write FILE",
        )
    assert write is not None  # noqa: S101 - one of the three is there, as counted above
    return _write(write, stack, declared, output)


def _refuse_stack(stack: str, declared: Manifest) -> None:
    allowed = inputs.local_stack(declared)
    if stack != allowed:
        raise CommandFailed(
            f"{stack}'s credentials never go to a developer's machine (ADR 0001, ADR 0006).",
            f"Allowed: {allowed or 'none'}.",
        )


def _write(path: Path, stack: str, declared: Manifest, output: inputs.PlainFormat) -> int:
    from atlas_access.base import LocalText, ValueUnwritable
    from atlas_access.cli.output import write as show
    from atlas_access.guards import GitUnread, ignored
    from atlas_access.retirement import write_local_file as local_file

    with presented_as(WRONG, local_file.LocalFileRefused, GitUnread):
        found = local_file.read(path)
        local_file.prepare(path, found, ignored)  # refused before a secret is read
    values = {name: value.reveal() for name, value in _current(stack, declared).items()}
    removed = tuple(each.name for each in declared.deprecated_variables)
    before = LocalText.parse("" if found is None else found.text)
    with presented_as(WRONG, local_file.LocalFileRefused, GitUnread, ValueUnwritable):
        done = local_file.write(path, before.rewritten(values, removed), found, ignored)
    gone = [name for name in removed if before.of(name)]
    document = {
        "file": str(path),
        "changed": done.changed,
        "set": list(values),
        "removed": gone,
        "backup": None if done.backup is None else str(done.backup),
    }
    if output is inputs.PlainFormat.JSON:
        show(json.dumps(document, indent=2), tuple(values.values()))
        return DONE
    lines = [f"{'WRITTEN' if done.changed else 'IN STEP'}  {path}: {', '.join(values)} (mode 0600)"]
    lines += [f"  removed, deprecated: {', '.join(gone)}"] if gone else []
    lines += (
        [f"  what stood there: {done.backup}; back with: atlas-access env --restore {path}"]
        if done.backup
        else []
    )
    show("\n".join(lines), tuple(values.values()))
    return DONE


def judged(path: Path, declared: Manifest, stack: str = "") -> Report:
    """Judge an env file; `stack` names whose current values to compare with, "" for none. Raises CommandFailed."""
    from atlas_access.base import EndpointRefused, Endpoints, LocalText
    from atlas_access.guards import GitUnread, ignored, local_values
    from atlas_access.retirement import write_local_file as local_file

    with presented_as(WRONG, local_file.LocalFileRefused, GitUnread, EndpointRefused):
        found = local_file.read(path)
        if found is None:
            raise CommandFailed(
                f"{path}: no such file.", f"atlas-access env {inputs.local_stack(declared)} --write {path}"
            )
        left_out = ignored(path)
        endpoints = Endpoints.from_environment(os.environ)
    facts = local_values.LocalFacts(
        path=str(path),
        mode=found.mode,
        ignored=left_out,
        cluster=_cluster_name(inputs.local_stack(declared)),
        loopback=endpoints.sandbox,
        current=_current(stack, declared) if stack else None,
    )
    return local_values.check(declared, LocalText.parse(found.text), facts)


def _restore(path: Path, output: inputs.PlainFormat) -> int:
    from atlas_access.cli.output import write as show
    from atlas_access.guards import GitUnread, ignored
    from atlas_access.retirement import write_local_file as local_file

    with presented_as(WRONG, local_file.LocalFileRefused, GitUnread):
        done = local_file.restore(path, ignored)
    if output is inputs.PlainFormat.JSON:
        kept = None if done.backup is None else str(done.backup)
        show(json.dumps({"file": str(path), "restored_from": str(done.source), "backup": kept}, indent=2))
        return DONE
    kept = f"; what stood there: {done.backup}" if done.backup else ""
    show(f"RESTORED  {path} from {done.source.name}{kept}\n  Next: atlas-access env --check {path}")
    return DONE


def _cluster_name(environment: str) -> str:
    """The Atlas cluster of an environment by its file here, "" without one: placeholders matter to nobody here."""
    from atlas_access.base import SettingsInvalid, check_settings, stack_files

    try:
        files = {name: path.read_text(encoding="utf-8") for name, path in stack_files(Path()).items()}
        return check_settings(environment, files, sandbox=True).atlas_cluster
    except (SettingsInvalid, OSError, UnicodeDecodeError):
        return ""


def _current(stack: str, declared: Manifest) -> dict[str, Secret]:
    """The values of the local variables, each judged: a secret that holds the wrong credential is not handed on."""
    from atlas_access.base import Secret
    from atlas_access.clients import AwsUnavailable, read_connection_string
    from atlas_access.guards import value_problems
    from atlas_access.manifest import LOCAL

    endpoints = inputs.read_endpoints()
    settings = inputs.read_settings(stack, endpoints)
    inputs.own_account(stack, settings, endpoints)
    region, values, wrong = settings.aws_region, {}, []
    with presented_as(UNKNOWN, AwsUnavailable, remedy="Nothing was touched."):
        cluster = "" if endpoints.sandbox else settings.atlas_cluster
        for binding in declared.bindings_for(LOCAL):
            value = read_connection_string(binding.secret_name, "", region=region, endpoints=endpoints)
            wrong += [
                f"{binding.secret_name} {what}" for what in value_problems(declared, binding, value, cluster)
            ]
            values[binding.variable] = Secret(value)
    if wrong:
        raise CommandFailed(
            f"{'; '.join(dict.fromkeys(wrong))}. Nothing was touched.",
            f"Correct the secret first: atlas-access guard validate-secrets --stack {stack}",
            REFUTED,
        )
    return values
