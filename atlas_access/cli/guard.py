"""`atlas-access guard`: what a pull request must not bring in, over a tree, the documents, the secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, UNKNOWN, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Endpoints
    from atlas_access.guards import Cluster, Report, Tree
    from atlas_access.manifest import Manifest


class GuardName(StrEnum):
    """One guard, or all that need no stack; `validate-secrets` joins `all` when a stack is named."""

    ALL = "all"
    ENV_VAR_COVERAGE = "env-var-coverage"
    SILENT_FALL_BACK = "silent-fall-back"
    REFERENCE_COLLECTIONS = "reference-collections"
    NO_URI_IN_GIT = "no-uri-in-git"
    DOCS_SYNC = "docs-sync"
    VALIDATE_SECRETS = "validate-secrets"
    TERRAFORM_OWNERSHIP = "terraform-ownership"


_OF_A_STACK = (GuardName.VALIDATE_SECRETS, GuardName.TERRAFORM_OWNERSHIP)
_OF_A_TREE = (
    GuardName.ENV_VAR_COVERAGE,
    GuardName.SILENT_FALL_BACK,
    GuardName.REFERENCE_COLLECTIONS,
    GuardName.NO_URI_IN_GIT,
)


def guard(
    name: Annotated[GuardName, typer.Argument(help="One guard, or all.", metavar="NAME|all")],
    *,
    source: Annotated[Path, typer.Option(help="The source tree to check.")] = Path(),
    manifest: Annotated[Path, typer.Option(help="The manifest to hold it against.")] = inputs.MANIFEST,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A pattern of paths to leave out; may be given again.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="no-uri-in-git: every commit of every branch too.")
    ] = False,
    stack: Annotated[
        str | None, typer.Option(help="validate-secrets, terraform-ownership: whose secrets, whose service.")
    ] = None,
    log_in: Annotated[
        bool, typer.Option("--login/--no-login", help="validate-secrets: log in with each value.")
    ] = True,
    patch: Annotated[
        bool,
        typer.Option("--patch", help="env-var-coverage: print the patch that replaces deprecated names."),
    ] = False,
    documents: Annotated[
        bool, typer.Option("--documents/--no-documents", help="all: the generated documents too.")
    ] = True,
    output: inputs.Output = Format.TEXT,
) -> int:
    """Check a source tree, the documents or stored secrets. Exit 0 clean, 1 found, 3 when not all could be judged."""
    from atlas_access.cli.output import show
    from atlas_access.guards import guards_report

    asked: tuple[GuardName, ...] = (name,)
    if name is GuardName.ALL:
        asked = (
            *_OF_A_TREE,
            *([GuardName.DOCS_SYNC] if documents else []),
            *([GuardName.VALIDATE_SECRETS] if stack is not None else []),
        )
    if name in _OF_A_STACK and stack is None:
        raise CommandFailed(f"{name.value} needs to know whose.", "Name a stack: --stack staging.")
    declared = inputs.read_manifest(manifest)
    if patch:
        if name is not GuardName.ENV_VAR_COVERAGE:
            raise CommandFailed("--patch belongs to env-var-coverage.")
        return _patch(declared, source, tuple(exclude or ()))
    reports: list[Report] = []
    if set(asked) & set(_OF_A_TREE):
        reports += of_tree(asked, declared, manifest, source, tuple(exclude or ()), history=history)
    if GuardName.DOCS_SYNC in asked:
        from atlas_access.cli.docs import in_sync

        reports.append(in_sync(declared, manifest.parent))
    if stack is not None and GuardName.VALIDATE_SECRETS in asked:
        reports.append(_of_secrets(declared, stack, log_in=log_in))
    if stack is not None and GuardName.TERRAFORM_OWNERSHIP in asked:
        reports.append(_of_terraform(declared, source, stack))
    return show(guards_report(reports), output)


def _patch(declared: Manifest, source: Path, excluded: Sequence[str]) -> int:
    from atlas_access.cli.output import console, write
    from atlas_access.guards import replacements

    text = replacements.patch(declared, inputs.read_source(source, excluded).files)
    write(text) if text else console(error=True).print("nothing to replace", soft_wrap=True)
    return DONE


def of_tree(
    asked: Sequence[GuardName],
    declared: Manifest,
    manifest: Path,
    source: Path,
    excluded: Sequence[str],
    *,
    history: bool = False,
) -> Iterator[Report]:
    """Run the guards of a source tree. Raises CommandFailed when it cannot be read."""
    from atlas_access.base import Status
    from atlas_access.code import IdiomsInvalid, Project, names_of, read_idioms
    from atlas_access.guards import (
        allowances,
        env_var_coverage,
        left_out,
        noted,
        reference_collections,
        report,
        silent_fall_back,
    )

    with presented_as(WRONG, IdiomsInvalid):
        idioms = read_idioms(source / "guards.yaml")
    names = names_of(declared)
    projects: dict[tuple[str, ...], Project] = {}
    tree = inputs.read_source(source, excluded, (*names.declared, *names.deprecated))
    for name in asked:
        left = [each for each in idioms.excluded if not each.guards or name.value in each.guards]
        patterns = (*excluded, *(each.paths for each in left))
        files = [file for file in tree.files if not left_out(file.path, patterns)]
        project = projects.setdefault(patterns, Project(files, names, idioms))
        match name:
            case GuardName.ENV_VAR_COVERAGE:
                found = env_var_coverage.check(declared, project, manifest.read_text(encoding="utf-8-sig"))
            case GuardName.SILENT_FALL_BACK:
                found = silent_fall_back.check(project)
            case GuardName.REFERENCE_COLLECTIONS:
                found = reference_collections.check(declared, project)
            case GuardName.NO_URI_IN_GIT:
                found = _of_git(source, tree, patterns, history=history)
            case _:
                continue
        if name is not GuardName.NO_URI_IN_GIT:
            unread = (
                note
                for note in tree.notes
                if note.status is Status.UNKNOWN and not left_out(note.place.path, patterns)
            )
            found = report(found.guard, found.inspected, found.findings, (*found.notes, *unread))
        said = [noted(each.paths, 0, f"left out by guards.yaml: {each.why}") for each in left]
        found = report(found.guard, found.inspected, found.findings, (*found.notes, *said))
        yield allowances.apply(found, tree.files)


def _of_git(source: Path, tree: Tree, excluded: Sequence[str], *, history: bool) -> Report:
    from atlas_access.guards import (
        GitUnread,
        as_tracked,
        history_lines,
        is_shallow,
        no_uri_in_git,
        noted,
        tracked_files,
    )

    with presented_as(UNKNOWN, GitUnread):
        tracked = tracked_files(source)
        if tracked is not None:
            tree = as_tracked(tree, source, tracked, excluded)
        notes = [*tree.notes, *tree.packed]
        if tracked is not None and history and is_shallow(source):
            what = "a shallow clone: the history before it was not searched; git fetch --unshallow brings it"
            notes.append(noted(str(source), 0, what, blocks=True))
        if tracked is None and history:
            raise CommandFailed(
                f"{source} is in no git repository, so it has no history.", "Leave --history out."
            )
        if tracked is None:
            notes.append(noted(str(source), 0, "in no git repository: every file counts as tracked"))
        lines = history_lines(source) if history else ()
        return no_uri_in_git.check(tree.files, lines, notes, tree.count)


def _of_secrets(declared: Manifest, stack: str, *, log_in: bool) -> Report:
    from atlas_access.base import EndpointRefused
    from atlas_access.guards import validate_secrets

    endpoints = inputs.read_endpoints()
    with presented_as(WRONG, EndpointRefused):
        settings = inputs.read_settings(stack, endpoints)
        inputs.known_stack(stack, declared)
        place = validate_secrets.Place(stack, settings.aws_account_id, settings.aws_region, log_in)
        used = dict.fromkeys(each.cluster for each in declared.bindings_for(stack))
        clusters = {name: _cluster(name, stack, endpoints) for name in used}
        return validate_secrets.check(declared, place, clusters, endpoints)


def _cluster(environment: str, stack: str, endpoints: Endpoints) -> Cluster:
    from atlas_access.clients import (
        SOAK_ACCOUNT,
        SOAK_KEY,
        AtlasUnread,
        CredentialsMissing,
        cluster_addresses,
        sign_in_from,
    )
    from atlas_access.guards import Cluster

    settings = inputs.read_settings(environment, endpoints)
    try:
        # One key for two projects would let a job of prod do in staging what it may in prod.
        sign_in = sign_in_from(os.environ, *(() if environment == stack else ((SOAK_ACCOUNT, SOAK_KEY),)))
        return Cluster(
            settings.atlas_cluster,
            cluster_addresses(settings.atlas_project_id, settings.atlas_cluster, sign_in, endpoints),
        )
    except (AtlasUnread, CredentialsMissing) as error:
        whose = "" if environment == stack else f" about {environment}'s project"
        return Cluster(settings.atlas_cluster, None, f"{error}{whose}")


def _of_terraform(declared: Manifest, source: Path, stack: str) -> Report:
    from atlas_access.base import Location, Status
    from atlas_access.code import read_idioms
    from atlas_access.guards import Guard, declared_secrets, judge_directory, report
    from atlas_access.retirement import secrets_to_let_go

    settings = inputs.read_settings(stack, inputs.read_endpoints())
    if not source.is_dir():
        raise CommandFailed(f"--source {source}: no such folder.", "Name the folder of the Terraform files.")
    idioms = read_idioms(source / "guards.yaml")
    secrets = declared_secrets(source, secrets_to_let_go(declared, stack), idioms)
    answers = [judge_directory(source, settings.ecs_service, (), idioms), *secrets]
    there = [
        replace(each, location=Location(str(source / each.place.path), each.place.line)) for each in answers
    ]
    owned = [each for each in there if each.status is Status.BAD]
    return report(Guard.TERRAFORM_OWNERSHIP, 1, owned, [each for each in there if each not in owned])
