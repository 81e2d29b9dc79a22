"""`PrivilegeProof`: the proof of one secret version as a resource of the program.

Its provider is pickled by reference and holds nothing. What the proof shows is recorded, also when it is refuted or
inconclusive: the component that needs it proven turns that into a failure. No connection string is ever an input, an
output or part of an error.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from access.endpoints import Endpoints
from access.evidence import Proof
from access.expectations import Expectations
from access.privileges import DEFAULT_MAJOR
from access.verdict import Verdict
from probes.code_digest import code_digest
from probes.progress import Row
from probes.prove import ProofRequest
from probes.runners import HERE, RUNNERS, TASK, Made, make, settle
from probes.task_runner import TaskPlace

TYPE = "pulumi-python:dynamic/probe:PrivilegeProof"
DECIDING = (
    *("secret_arn", "secret_version", "expectations_digest", "address", "runner", "code_digest"),
    *("expected_hosts", "accepted_audit_uuid", "task"),
)
"""Inputs whose change makes a proof stale; everything else is about how it is run."""

_UNSEEN = frozenset({"", None})


@dataclass(frozen=True)
class PrivilegeProofArgs:
    """What is proven: the very secret version that tasks will receive, against the user's expectations.

    `environment` is whose consumer receives the credential, `cluster` whose cluster it opens. `expectations` is the
    canonical JSON of `access.expectations`. `expected_hosts` are the hosts that the connection string must name, ()
    when they are not known. `narrowed` says that privileges are taken away in the same update, so that what was
    allowed a moment ago may still be. `accepted_audit_uuid` accepts an audit log that was made anew. With the runner
    "task", `task` is the JSON of a `TaskPlace`. `public_address` is the cluster's public connection string without a
    user, "" when there is none to fall back to. `atlas_project` and `atlas_cluster` are whose changes are waited for
    before the login, "" for a cluster of another project.
    """

    user: pulumi.Input[str]
    environment: pulumi.Input[str]
    cluster: pulumi.Input[str]
    address: pulumi.Input[str]
    secret_arn: pulumi.Input[str]
    secret_version: pulumi.Input[str]
    expectations: pulumi.Input[str]
    expectations_digest: pulumi.Input[str]
    region: pulumi.Input[str]
    runner: pulumi.Input[str] = HERE
    deadline_seconds: pulumi.Input[float] = 60.0
    expected_hosts: pulumi.Input[Sequence[str]] = ()
    narrowed: pulumi.Input[bool] = False
    propagation_seconds: pulumi.Input[float] = 30.0
    accepted_audit_uuid: pulumi.Input[str] = ""
    task: pulumi.Input[str] = ""
    public_address: pulumi.Input[str] = ""
    atlas_project: pulumi.Input[str] = ""
    atlas_cluster: pulumi.Input[str] = ""


class PrivilegeProofProvider(ResourceProvider):
    """Proves on create and update, never in a preview; deleting a proof undoes nothing, because it did nothing."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 - the host's own signature
        """Make a failure one line: only mistakes of usage raise, and a traceback would bury their message."""
        sys.tracebacklimit = 0

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
        return CreateResult(identifier, _proven(props, {}))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Prove again; a refuted proof, or expectations that shrank, make it a narrowing."""
        return UpdateResult(_proven(news, olds))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what is recorded: a proof is a record of a moment, and a refresh is no new proof."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Forget the record; a proof leaves nothing on any server that could be undone."""


class PrivilegeProof(Resource, module="probe", name="PrivilegeProof"):
    """The proof of one credential; its outputs are the inputs echoed, the verdict, and the evidence."""

    user: pulumi.Output[str]
    environment: pulumi.Output[str]
    cluster: pulumi.Output[str]
    address: pulumi.Output[str]
    secret_arn: pulumi.Output[str]
    secret_version: pulumi.Output[str]
    expectations_digest: pulumi.Output[str]
    verdict: pulumi.Output[str]
    reason: pulumi.Output[str]
    attempts: pulumi.Output[int]
    inconclusive: pulumi.Output[int]
    residue: pulumi.Output[int]
    evidence: pulumi.Output[str]
    proven_at: pulumi.Output[str]
    audit_uuid: pulumi.Output[str]
    address_proven: pulumi.Output[bool]
    runner: pulumi.Output[str]
    task: pulumi.Output[str]
    public_address: pulumi.Output[str]

    def __init__(
        self, name: str, args: PrivilegeProofArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare a proof; whatever needs it proven must depend on it and take its version from it."""
        inputs = {field: getattr(args, field) for field in PrivilegeProofArgs.__dataclass_fields__}
        results = dict.fromkeys(
            (
                *("verdict", "reason", "attempts", "inconclusive", "residue", "evidence", "proven_at"),
                *("audit_uuid", "address_proven"),
            )
        )
        parent = opts.parent if opts is not None else None
        urn = pulumi.create_urn(name, TYPE, parent)
        super().__init__(
            PrivilegeProofProvider(),
            name,
            {**inputs, **results, "code_digest": code_digest(), "row": _independent(urn)},
            opts,
        )


def _independent(urn: pulumi.Output[str]) -> pulumi.Output[str]:
    """The same text without its dependency on the parent, of which the proof itself is a part."""
    known = asyncio.ensure_future(urn.is_known())
    return pulumi.Output(set(), cast(Awaitable[str], asyncio.ensure_future(urn.future())), known)


def _proven(news: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    expected = Expectations.from_json(str(news["expectations"]))
    last = str(olds.get("audit_uuid") or "")
    request = ProofRequest(
        expectations=expected,
        environment=str(news["environment"]),
        secret_arn=str(news["secret_arn"]),
        secret_version=str(news["secret_version"]),
        region=str(news["region"]),
        address=str(news["address"]),
        expected_hosts=tuple(str(host) for host in news.get("expected_hosts") or ()),
        deadline_seconds=float(news["deadline_seconds"]),
        propagation_seconds=float(news["propagation_seconds"]),
        narrowing=bool(news.get("narrowed")) or _narrows(expected, olds),
        last_audit_uuid=last,
        accepted_audit_uuid=str(news.get("accepted_audit_uuid") or ""),
        public_address=str(news.get("public_address") or ""),
    )
    place = TaskPlace.from_json(str(news["task"])) if news.get("runner") == TASK else None
    endpoints = Endpoints.from_environment(os.environ)
    row = Row(str(news.get("row") or ""))
    try:
        _settle(news, request, endpoints, row)
        proof = make(Made(request, place), endpoints, row)
    finally:
        row.close()
    return {**news, **_outputs(proof, last)}


def _settle(news: dict[str, Any], request: ProofRequest, endpoints: Endpoints, row: Row) -> None:
    """Wait for the cluster that this stack has just changed; what the login finds is decided there all the same."""
    project, cluster = str(news.get("atlas_project") or ""), str(news.get("atlas_cluster") or "")
    if not project or not cluster:
        return
    row(f"{request.expectations.user}: waiting for Atlas to apply the changes")
    until = time.monotonic() + min(request.propagation_seconds, request.deadline_seconds)
    settle(project, cluster, endpoints, lambda: until - time.monotonic())


def _outputs(proof: Proof, last_audit_uuid: str) -> dict[str, Any]:
    """Return the recorded results; the audit log's UUID moves on only with a proof that holds."""
    seen = proof.audit_uuid if proof.verdict is Verdict.PROVEN else ""
    where = f"{proof.user} on {proof.cluster} ({proof.environment}, {proof.address} address)"
    return {
        "verdict": str(proof.verdict),
        "reason": f"{str(proof.verdict).upper()}  {where}: {proof.reason}" if proof.reason else "",
        "attempts": len(proof.attempts),
        "inconclusive": proof.inconclusive,
        "residue": proof.residue,
        "evidence": proof.to_json(),
        "proven_at": proof.proven_at,
        "audit_uuid": seen or last_audit_uuid,
        "address_proven": proof.address_proven,
    }


def _narrows(expected: Expectations, olds: dict[str, Any]) -> bool:
    """Whether privileges were just taken away: the last proof was refuted, or less is declared than before."""
    if not olds:
        return False
    if olds.get("verdict") == Verdict.REFUTED:
        return True
    try:
        before = Expectations.from_json(str(olds.get("expectations")))
        return bool(before.declared(DEFAULT_MAJOR) - expected.declared(DEFAULT_MAJOR))
    except ValueError:
        return False


def _mistakes(news: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    runner = news.get("runner")
    if isinstance(runner, str) and runner not in RUNNERS:
        found.append(
            ("runner", f"there is no runner {runner!r} for a proof. Use one of: {', '.join(RUNNERS)}.")
        )
    if runner == TASK and isinstance(news.get("task"), str) and news["task"] != pulumi.runtime.rpc.UNKNOWN:
        try:
            TaskPlace.from_json(news["task"])
        except ValueError as error:
            found.append(("task", f"{error}. Make it with probes.task_runner.TaskPlace."))
    text = news.get("expectations")
    if isinstance(text, str) and text != pulumi.runtime.rpc.UNKNOWN:
        try:
            digest = Expectations.from_json(text).digest
        except ValueError as error:
            found.append(("expectations", f"{error}. Derive them with access.expectations.expectations."))
        else:
            if news.get("expectations_digest") not in (digest, pulumi.runtime.rpc.UNKNOWN):
                found.append(("expectations_digest", "it is not the digest of the expectations."))
    return found


def _plain(value: object) -> object:
    """Treat an input that an older version did not have like one that is empty."""
    if value in _UNSEEN if not isinstance(value, list | tuple) else not value:
        return None
    return tuple(value) if isinstance(value, list | tuple) else value
