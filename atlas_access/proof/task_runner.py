"""Proves a credential inside a one-off ECS task, with the execution role and the subnets that its own tasks have.

A revision of its own is registered for each proof, because only a task definition can hand a secret to a container; it
is deregistered afterwards, and no service ever runs it. The evidence comes back by the task's log (see
`atlas_access.proof.inside`). The secret is read in the task only, an answer needs this proof's nonce, and no task is
left running.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from atlas_access.base import DefinitionUnusable, Endpoints, redact, registrable
from atlas_access.clients import AwsUnavailable, client, describe_definition, describe_service, stream_lines
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.inside import CONNECTION, MARK, NONCE, REQUEST
from atlas_access.proof.proof_task import ProofTask
from atlas_access.proof.request import LARGEST, ProofRequest, unpack
from atlas_access.proof.run import unproven

START_SECONDS = 180.0
"""How long a task may take to be placed, pull its image and start, besides the proof's own deadline."""

_POLL_SECONDS = 1.0
_LOG_SECONDS = 15.0
_MOST_PARTS = 64
_OVERLAY = (
    *("ATLAS_ACCESS_SANDBOX", "AWS_ENDPOINT_URL", "MONGODB_ATLAS_BASE_URL", "ATLAS_ACCESS_SMOKE_URL"),
    *("ATLAS_ACCESS_CONTACTS_URL", "GITHUB_API_URL"),
)
_NO_ACCESS = ("AccessDenied", "not authorized to perform", "KMSAccessDenied")

Progress = Callable[[str], None]
Clients = Callable[[str], Any]


def prove_in_task(
    request: ProofRequest,
    place: ProofTask,
    endpoints: Endpoints,
    *,
    progress: Progress,
    environment: Mapping[str, str],
    clients: Clients | None = None,
) -> Proof:
    """Prove in a task of its own; a record comes back whatever happens. `environment` is this process's own."""
    made = clients or (lambda service: client(service, request.region, endpoints))
    run = _TaskRun(request, place, made("ecs"), made("logs"), progress)
    overlay = {name: environment[name] for name in _OVERLAY if endpoints.sandbox and name in environment}
    try:
        return run.proof(overlay)
    except (AwsUnavailable, DefinitionUnusable) as error:
        return unproven(request, Subject.RUNNER, f"the proof's task could not be run: {error}")


class _TaskRun:
    """One proof's task, from its definition to its answer."""

    def __init__(
        self, request: ProofRequest, place: ProofTask, ecs: Any, logs: Any, progress: Progress
    ) -> None:
        self._request, self._place = request, place
        self._ecs, self._logs, self._progress = ecs, logs, progress
        self._nonce = secrets.token_hex(16)

    def proof(self, overlay: Mapping[str, str]) -> Proof:
        base = registrable(describe_definition(self._ecs, self._place.family))
        container: Mapping[str, Any] = next(iter(base.get("containerDefinitions", ())), {})
        options = (container.get("logConfiguration") or {}).get("options") or {}
        group, prefix = str(options.get("awslogs-group", "")), str(options.get("awslogs-stream-prefix", ""))
        if not group or not prefix:
            text = (
                f"{self._place.family} has no awslogs log group and stream prefix, so no answer can come back"
            )
            return unproven(self._request, Subject.RUNNER, text)
        registered = self._register(base, container, overlay)
        try:
            task = self._run(registered)
            stopped = self._await(task)
            identifier = str(task).rpartition("/")[2]
            return self._judge(stopped, group, f"{prefix}/{container['name']}/{identifier}")
        finally:
            self._ecs.deregister_task_definition(taskDefinition=registered)

    def _register(
        self, base: Mapping[str, Any], container: Mapping[str, Any], overlay: Mapping[str, str]
    ) -> str:
        given = {**overlay, REQUEST: self._request.pack(), NONCE: self._nonce}
        reference = f"{self._request.secret_arn}:::{self._request.secret_version}"
        mine = {
            **{key: value for key, value in container.items() if key not in ("portMappings", "healthCheck")},
            "command": ["python", "-m", "atlas_access.proof.inside"],
            "environment": [{"name": name, "value": value} for name, value in given.items()],
            "secrets": [{"name": CONNECTION, "valueFrom": reference}],
        }
        kept = {key: value for key, value in base.items() if value}
        kept |= {"containerDefinitions": [mine], "executionRoleArn": self._place.execution_role}
        answer = self._ecs.register_task_definition(**kept)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def _run(self, definition: str) -> str:
        self._progress(f"{self._request.expectations.user}: starting the proof's task")
        answer = self._ecs.run_task(
            cluster=self._place.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            count=1,
            startedBy="atlas-access-proof",
            networkConfiguration={"awsvpcConfiguration": self._network()},
        )
        if not answer.get("tasks"):
            reasons = [str(each.get("reason", "")) for each in answer.get("failures", ())]
            raise AwsUnavailable("running the proof's task", ", ".join(reasons) or "no task")
        return str(answer["tasks"][0]["taskArn"])

    def _network(self) -> dict[str, Any]:
        """The service's own network, so that what the proof reaches is what the service will."""
        place = self._place
        found = describe_service(self._ecs, place.cluster, place.service) or {}
        own = (found.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        network = {
            "subnets": list(place.subnets) or list(own.get("subnets", ())),
            "securityGroups": list(place.security_groups) or list(own.get("securityGroups", ())),
            "assignPublicIp": own.get("assignPublicIp", "DISABLED"),
        }
        if not network["subnets"]:
            raise AwsUnavailable(
                "looking for the runtime's subnets", "none; set atlas-access:proofTaskSubnets"
            )
        return network

    def _await(self, task: str) -> Mapping[str, Any] | None:
        """The stopped task, None when it did not stop in time; it is stopped then."""
        deadline = time.monotonic() + START_SECONDS + self._request.deadline_seconds
        while time.monotonic() < deadline:
            answer = self._ecs.describe_tasks(cluster=self._place.cluster, tasks=[task])
            found = answer.get("tasks") or [{}]
            status = str(found[0].get("lastStatus", ""))
            if status == "STOPPED":
                stopped: Mapping[str, Any] = found[0]
                return stopped
            self._progress(f"{self._request.expectations.user}: the proof's task is {status or 'unknown'}")
            time.sleep(_POLL_SECONDS)
        self._ecs.stop_task(cluster=self._place.cluster, task=task)
        return None

    def _judge(self, stopped: Mapping[str, Any] | None, group: str, stream: str) -> Proof:
        if stopped is None:
            return unproven(
                self._request, Subject.RUNNER, "the proof's task did not end in time, and was stopped"
            )
        reason = redact(str(stopped.get("stoppedReason", "")))[:400]
        if stopped.get("stopCode") == "TaskFailedToStart":
            denied = any(word in reason for word in _NO_ACCESS)
            role = self._place.execution_role.rpartition("/")[2]
            if denied:
                text = f"the execution role {role} cannot read the secret: {reason}"
                return unproven(self._request, Subject.SECRET, text, refuted=True)
            return unproven(self._request, Subject.RUNNER, f"the proof's task did not start: {reason}")
        proof = self._answer(group, stream)
        if proof is None:
            codes = [str(each.get("exitCode")) for each in stopped.get("containers", ())]
            text = f"the proof's task left no answer in {group} (exit code {', '.join(codes)}): {reason}"
            return unproven(self._request, Subject.RUNNER, text)
        wanted = self._request
        asked = (wanted.expectations.digest, wanted.secret_version)
        if (proof.expectations_digest, proof.secret_version) != asked:
            return unproven(wanted, Subject.RUNNER, "the task answered another question than the one asked")
        return proof

    def _answer(self, group: str, stream: str) -> Proof | None:
        """The evidence from the task's log, which CloudWatch may show a little later; None when it is not there."""
        deadline = time.monotonic() + _LOG_SECONDS
        while True:
            text = assembled(stream_lines(self._logs, group, stream), self._nonce)
            if text is not None:
                try:
                    return Proof.from_json(text)
                except ValueError:
                    return None
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_SECONDS)


def assembled(messages: Iterable[str], nonce: str) -> str | None:
    """The evidence that log lines with this nonce make up; None while a part is missing or anything is odd."""
    parts: dict[int, str] = {}
    total = 0
    for message in messages:
        try:
            line = json.loads(message)
        except ValueError:
            continue
        if not isinstance(line, dict) or line.get(MARK) != nonce:
            continue
        number, of, data = line.get("part"), line.get("of"), line.get("data")
        if not isinstance(number, int) or not isinstance(of, int) or not isinstance(data, str):
            return None
        if not 1 <= number <= of <= _MOST_PARTS or (total and of != total) or parts.get(number, data) != data:
            return None
        parts[number], total = data, of
    if not total or len(parts) != total or sum(map(len, parts.values())) > LARGEST:
        return None
    try:
        return unpack("".join(parts[number] for number in sorted(parts)))
    except ValueError:
        return None
