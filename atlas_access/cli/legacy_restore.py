"""`atlas-access legacy restore STACK`: tombstoned users get their recorded roles back. Formats and exit codes only."""

from __future__ import annotations

import json

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, WRONG, CommandFailed, presented_as


def restore(
    stack: inputs.Stack,
    *,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Give STACK's tombstoned users their recorded roles back, at any time before anything is deleted.

    Exit 0 when every user has them, 1 when a deletion has begun (there is no way back), 3 when Atlas does not answer.
    """
    from atlas_access.cli.output import console, write
    from atlas_access.clients import CredentialsMissing
    from atlas_access.retirement import RetirementRefused, restore as restore_roles
    from atlas_access.rollout import ServiceMissing

    endpoints = inputs.read_endpoints()
    declared = inputs.read_manifest(manifest)
    settings = inputs.read_settings(stack, endpoints)
    inputs.own_account(stack, settings, endpoints)
    screen = console(error=output is inputs.PlainFormat.JSON)
    try:
        with presented_as(WRONG, CredentialsMissing, ServiceMissing):
            done = restore_roles(
                stack, settings, declared, endpoints, lambda line: screen.print(line, soft_wrap=True)
            )
    except RetirementRefused as failure:
        raise CommandFailed(str(failure), exit_code=failure.exit_code or REFUTED) from failure
    if output is inputs.PlainFormat.JSON:
        write(json.dumps({"stack": stack, "restored": done.moved, "kept": dict(done.kept)}))
    return DONE
