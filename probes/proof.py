"""`PrivilegeProof`: the proof of one secret version as a resource of the program.

Its provider is pickled by reference and holds nothing. What the proof shows is recorded, also when it is refuted or
inconclusive: the component that needs it proven turns that into a failure. No connection string is ever an input, an
output or part of an error.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from atlas_access.proof import (
    HERE,
    RUNNERS,
    TASK,
    Expectations,
    ProofRequest,
    ProofTask,
    Verdict,
    code_digest,
)
from probes.provider import OneMessage

TYPE = "pulumi-python:dynamic/probe:PrivilegeProof"
MADE_BY = (*(each.name for each in fields(ProofRequest)), "runner", "task")
"""The properties that another proof of the same credential is made by."""
DECIDING = (
    *(each.name for each in fields(ProofRequest) if each.metadata),
    *("expectations_digest", "runner", "task", "code_digest"),
)
"""Inputs whose change makes a proof stale; everything else is about how it is run."""

_UNSEEN = frozenset({"", None})


@dataclass(frozen=True)
class PrivilegeProofArgs:
    """What is proven: `request`, with those of its fields that are known only while the program runs.

    With `task`, the JSON of a `ProofTask`, the proof is made in a task there. `atlas_project` and `atlas_cluster` are
    whose changes are waited for before the login, "" for a cluster of another project.
    """

    request: ProofRequest
    secret_arn: pulumi.Input[str]
    secret_version: pulumi.Input[str]
    expected_hosts: pulumi.Input[Sequence[str]] = ()
    public_address: pulumi.Input[str] = ""
    task: str = ""
    atlas_project: str = ""
    atlas_cluster: str = ""


class PrivilegeProofProvider(OneMessage):
    """Proves on create and update, never in a preview; deleting a proof undoes nothing, because it did nothing."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse a runner that there is not, and expectations that are none."""
        return CheckResult(news, [CheckFailure(name, reason) for name, reason in _mistakes(news)])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare digests and versions only, so that a preview and its update agree.

        A proof is renewed when what decides it has changed, or when the recorded one is not proven.
        """
        changed = [name for name in DECIDING if _plain(olds.get(name)) != _plain(news.get(name))]
        return DiffResult(changes=bool(changed) or olds.get("verdict") != Verdict.PROVEN)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Prove, and record whatever came of it. Raises `EndpointRefused` for an address that is not permitted."""
        identifier = f"{props['environment']}/{props['cluster']}/{props['user']}/{props['address']}"
        return CreateResult(identifier, _renewed(props, {}))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Prove again; a refuted proof, or expectations that shrank, make it a narrowing."""
        return UpdateResult(_renewed(news, olds))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what is recorded, inconclusive where the server refuses the login now: an update then proves again."""
        from atlas_access.proof import reread

        return ReadResult(id_, reread(props))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forget the record; a proof leaves nothing on any server that could be undone."""


class PrivilegeProof(Resource, module="probe", name="PrivilegeProof"):
    """The proof of one credential; its outputs are the inputs echoed, and what the proof shows."""

    verdict: pulumi.Output[str]
    reason: pulumi.Output[str]
    attempts: pulumi.Output[int]
    inconclusive: pulumi.Output[int]
    residue: pulumi.Output[int]
    evidence: pulumi.Output[str]
    proven_at: pulumi.Output[str]
    audit_uuid: pulumi.Output[str]
    address_proven: pulumi.Output[bool]

    def __init__(
        self, name: str, args: PrivilegeProofArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare a proof; whatever needs it proven must depend on it and take its version from it."""
        given, expected = vars(args).copy(), args.request.expectations
        inputs = given.pop("request").record() | given
        urn = pulumi.create_urn(name, TYPE, opts.parent if opts is not None else None)
        super().__init__(
            PrivilegeProofProvider(),
            name,
            {
                **inputs,
                "user": expected.user,
                "cluster": expected.cluster,
                "expectations_digest": expected.digest,
                "runner": TASK if args.task else HERE,
                **dict.fromkeys(PrivilegeProof.__annotations__),
                "code_digest": code_digest(),
                "row": _independent(urn),
            },
            opts,
        )


def _independent(urn: pulumi.Output[str]) -> pulumi.Output[str]:
    """The same text without its dependency on the parent, of which the proof itself is a part."""
    known = asyncio.ensure_future(urn.is_known())
    return pulumi.Output(set(), cast(Awaitable[str], asyncio.ensure_future(urn.future())), known)


def _renewed(news: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    # Imported here, because a preview only compares, and the driver takes longer to import than that.
    from atlas_access.proof import renewed

    return renewed(news, olds)


def _mistakes(news: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    runner = news.get("runner")
    if isinstance(runner, str) and runner not in RUNNERS:
        found.append(
            ("runner", f"there is no runner {runner!r} for a proof. Use one of: {', '.join(RUNNERS)}.")
        )
    if runner == TASK and isinstance(news.get("task"), str) and news["task"] != pulumi.runtime.rpc.UNKNOWN:
        try:
            ProofTask.from_json(news["task"])
        except ValueError as error:
            found.append(("task", f"{error}. Make it with atlas_access.proof.task_runner.ProofTask."))
    text = news.get("expectations")
    if isinstance(text, str) and text != pulumi.runtime.rpc.UNKNOWN:
        try:
            digest = Expectations.from_json(text).digest
        except ValueError as error:
            found.append(
                ("expectations", f"{error}. Derive them with atlas_access.proof.expectations.expectations.")
            )
        else:
            if news.get("expectations_digest") not in (digest, pulumi.runtime.rpc.UNKNOWN):
                found.append(("expectations_digest", "it is not the digest of the expectations."))
    return found


def _plain(value: object) -> object:
    """Treat an input that an older version did not have like one that is empty."""
    if value in _UNSEEN if not isinstance(value, list | tuple) else not value:
        return None
    return tuple(value) if isinstance(value, list | tuple) else value
